/** Templates: text with columns in it, `Order ${order_no}`. A plain key column is the template with that column alone. */
import type { Row } from "../domain/change.ts";
import type { KeyExpression } from "./expression-config.ts";
import { type Evaluated, type Evaluator, LEFT_OUT, Misfit, readColumn, textOf } from "./value.ts";

/** `literals` are the constant parts around the columns: one more than there are columns, possibly empty. */
export interface Template {
  readonly literals: readonly string[];
  readonly columns: readonly string[];
}

/** A `${` without name or end stays part of a literal; the configuration check refuses it (`isBroken`). */
export const parseTemplate = (text: string): Template => {
  const literals: string[] = [];
  const columns: string[] = [];
  let rest = 0;
  for (const match of text.matchAll(/\$\{([^{}]+)\}/g)) {
    literals.push(text.slice(rest, match.index));
    columns.push(match[1] ?? "");
    rest = match.index + match[0].length;
  }
  literals.push(text.slice(rest));
  return { literals, columns };
};

export const isBroken = ({ literals }: Template): boolean => literals.some((literal) => literal.includes("${"));

export const keyTemplate = (key: KeyExpression): Template =>
  typeof key === "string" ? { literals: ["", ""], columns: [key] } : parseTemplate(key.template);

/** A null part makes the whole null; otherwise a part that was not sent leaves the field alone. */
export const compileTemplate = ({ literals, columns }: Template): Evaluator => {
  return (row) => {
    let text = literals[0] ?? "";
    let leftOut = false;
    for (let i = 0; i < columns.length; i++) {
      const part = partText(readColumn(row, columns[i] ?? ""), columns[i] ?? "");
      if (part === null || part instanceof Misfit) return part;
      if (part === LEFT_OUT) leftOut = true;
      else text += part + (literals[i + 1] ?? "");
    }
    return leftOut ? LEFT_OUT : text;
  };
};

/**
 * Key text of a row. Null when a part is null or empty: both name nothing, and `C-` would be one key for many rows. A
 * column that the decoded record key has wins over the row's, since on a delete the row may be filler.
 */
export const compileKey = ({ literals, columns }: Template) => {
  return (row: Row, recordKey: Row | null): string | null | typeof LEFT_OUT | Misfit => {
    let text = literals[0] ?? "";
    for (let i = 0; i < columns.length; i++) {
      const column = columns[i] ?? "";
      const source = recordKey !== null && (recordKey[column] ?? null) !== null ? recordKey : row;
      const part = partText(readColumn(source, column), column);
      if (typeof part !== "string") return part;
      if (part === "") return null;
      text += part + (literals[i + 1] ?? "");
    }
    return text;
  };
};

const partText = (value: Evaluated, column: string): string | null | typeof LEFT_OUT | Misfit => {
  if (value === null || value === LEFT_OUT || value instanceof Misfit) return value;
  return (
    textOf(value) ?? new Misfit("bad-value", `column "${column}" holds a list or structure where one value is needed`)
  );
};
