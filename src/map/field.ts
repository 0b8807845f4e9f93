/** One field expression of the configuration, compiled to a function of the row. */
import type { FieldValue } from "../domain/mutation.ts";
import { compileConversion } from "./convert.ts";
import type { ColumnExpression, LastWord, NameExpression, OwnedTags } from "./expression-config.ts";
import { compileTemplate, parseTemplate } from "./template.ts";
import { compileTransform } from "./transform.ts";
import { type Evaluator, LEFT_OUT, Misfit, mapEach, readColumn, textOf } from "./value.ts";

/** An expression other than a bare column, a reference or an order's lines. */
export type Expression = Extract<LastWord, object>;

export const compileExpression = (expression: Expression): Evaluator => {
  if ("owner" in expression) return compileName(expression.owner, (name) => ({ $owner: name }));
  if ("stage" in expression) {
    const { stage, pipeline = null } = expression;
    return compileName(stage, (name) => ({ $stage: name, $pipeline: pipeline }));
  }
  if ("value" in expression) return owning(expression.owned, () => expression.value);
  if ("from" in expression) return owning(expression.owned, compileColumn(expression));
  return compileTemplate(parseTemplate(expression.template));
};

/** A name in place of an id; the target knows the id. Empty text names nothing. */
const compileName = (expression: NameExpression, mark: (name: string) => FieldValue): Evaluator => {
  const evaluate = compileNameText(expression);
  return (row) => {
    const value = evaluate(row);
    if (value === null || value === LEFT_OUT || value instanceof Misfit) return value;
    const name = textOf(value)?.trim();
    if (name === undefined) return new Misfit("bad-value", "a list or structure stands where one name is needed");
    return name === "" ? null : mark(name);
  };
};

const compileNameText = (expression: NameExpression): Evaluator => {
  if (typeof expression === "string") return () => expression;
  return "from" in expression ? compileColumn(expression) : compileTemplate(parseTemplate(expression.template));
};

const owning = (owned: OwnedTags | undefined, evaluate: Evaluator): Evaluator => {
  if (owned === undefined) return evaluate;
  const [$own, $prefix] = Array.isArray(owned) ? [owned, null] : [[], owned.prefix];
  return (row) => {
    const value = evaluate(row);
    if (value === LEFT_OUT || value instanceof Misfit) return value;
    const $tags = [value].flat().flatMap((tag) => (tag === null ? [] : (textOf(tag) ?? [])));
    return { $tags: $tags.filter((tag) => tag !== ""), $own, $prefix };
  };
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
