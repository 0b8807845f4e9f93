/** One field expression of the configuration, compiled to a function of the row. */
import type { FieldValue } from "../domain/mutation.ts";
import type { ColumnExpression, LastWord } from "./config.ts";
import { compileConversion } from "./convert.ts";
import { compileTemplate, parseTemplate } from "./template.ts";
import { compileTransform } from "./transform.ts";
import { type Evaluator, LEFT_OUT, Misfit, mapEach, readColumn, textOf } from "./value.ts";

/** An expression other than a bare column or a reference. */
export type Expression = Extract<LastWord, object>;

export const compileExpression = (expression: Expression): Evaluator => {
  if ("value" in expression) return () => expression.value;
  if ("from" in expression) return compileColumn(expression);
  return compileTemplate(parseTemplate(expression.template));
};

/** The order is: transform, default for null, lookup, conversion. */
const compileColumn = (expression: ColumnExpression): Evaluator => {
  const column = expression.from;
  const transform = compileTransform(expression.transform, column);
  const finish = compileFinish(expression);
  return (row) => {
    const value = readColumn(row, column);
    if (value === LEFT_OUT || value instanceof Misfit) return value;
    const transformed = transform(value);
    return transformed instanceof Misfit ? transformed : finish(transformed);
  };
};

const compileFinish = ({ from, values, as, default: fallback }: ColumnExpression) => {
  const table = values === undefined ? null : new Map(Object.entries(values));
  const convert = as === undefined ? null : compileConversion(as);
  const convertSingle = (value: FieldValue): FieldValue | Misfit =>
    convert?.(value) ?? new Misfit("bad-value", `column "${from}" is not ${as}; correct the row or the mapping`);
  const lookUp = (value: FieldValue): FieldValue | Misfit => {
    const text = textOf(value);
    const listed = text === null ? undefined : table?.get(text);
    if (listed !== undefined) return listed;
    const why = `column "${from}" holds a value that "values" does not list; add it, or a default`;
    return fallback ?? new Misfit("value-not-listed", why);
  };

  return (value: FieldValue): FieldValue | Misfit => {
    let result: FieldValue | Misfit = value ?? fallback ?? null;
    if (value !== null && table !== null) result = mapEach(value, lookUp);
    if (result instanceof Misfit || convert === null) return result;
    return mapEach(result, convertSingle);
  };
};
