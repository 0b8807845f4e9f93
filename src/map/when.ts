/** `when`: which rows a route writes. Values compare as text, numbers by amount, and 1, Y and true are one boolean. */
import { type Row, UNAVAILABLE } from "../domain/change.ts";
import type { FieldValue } from "../domain/mutation.ts";
import type { RouteConfig } from "./config.ts";
import { toBoolean } from "./convert.ts";
import type { Condition } from "./expression-config.ts";
import { LEFT_OUT, Misfit, readColumn, textOf } from "./value.ts";

type Scalar = string | number | boolean;

/**
 * True when the row meets every condition. A column that the row does not have is null. One whose value the source did
 * not send is a misfit; only for a deleted row, of which little is known, it counts as met.
 */
export type Filter = (row: Row, isDelete: boolean) => boolean | Misfit;

export const compileWhen = (when: RouteConfig["when"]): Filter => {
  const conditions = Object.entries(when ?? {}).map(
    ([column, condition]) => [column, compileCondition(condition)] as const,
  );
  return (row, isDelete) => {
    for (const [column, accepts] of conditions) {
      const value = readColumn(row, column);
      if (value instanceof Misfit) return value;
      if (value === LEFT_OUT && isDelete) continue;
      if (row[column] === UNAVAILABLE) return new Misfit("mapping-error", unknown(column));
      if (!accepts(value === LEFT_OUT ? null : value)) return false;
    }
    return true;
  };
};

const unknown = (column: string): string =>
  `"when" reads column "${column}", which the source did not send; set REPLICA IDENTITY FULL for its table`;

const compileCondition = (condition: Condition): ((value: FieldValue) => boolean) => {
  if (typeof condition !== "object") return isOneOf([condition]);
  if ("in" in condition) return isOneOf(condition.in);
  if ("exists" in condition) return (value) => (value !== null) === condition.exists;
  const excluded = isOneOf([condition.not].flat());
  return (value) => !excluded(value);
};

const isOneOf = (expected: readonly Scalar[]): ((value: FieldValue) => boolean) => {
  const texts = new Set(expected.filter((scalar) => typeof scalar === "string"));
  const others = expected.filter((scalar) => typeof scalar !== "string");
  return (value) => {
    const text = textOf(value);
    return text !== null && (texts.has(text) || others.some((scalar) => isSame(scalar, value, text)));
  };
};

const isSame = (expected: number | boolean, value: FieldValue, text: string): boolean => {
  if (typeof expected === "boolean") return toBoolean(value) === expected;
  return text.trim() !== "" && typeof value !== "boolean" && Number(text) === expected;
};
