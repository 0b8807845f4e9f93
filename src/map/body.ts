/** The fields of a route, compiled to one function that builds a request body from a row. */
import type { Row } from "../domain/change.ts";
import type { Entity, Fields, FieldValue, Ref } from "../domain/mutation.ts";
import type { FieldExpression, LastWord } from "./config.ts";
import { compileExpression } from "./field.ts";
import { compileKey, keyTemplate } from "./template.ts";
import { type Evaluator, LEFT_OUT, Misfit, readColumn } from "./value.ts";

export interface Body {
  readonly fields: Fields;
  readonly onCreate: Fields;
  readonly refs: readonly Ref[];
  /** False when a column was not sent and its field therefore left out. */
  readonly complete: boolean;
}

export const compileBody = (expressions: Readonly<Record<string, FieldExpression>>): ((row: Row) => Body | Misfit) => {
  const fields = Object.entries(expressions).map(([path, expression]) => compileField(path, expression));
  return (row) => {
    const always: Draft = {};
    const onCreate: Draft = {};
    const refs: Ref[] = [];
    let complete = true;
    for (const field of fields) {
      const value = field.evaluate(row);
      if (value instanceof Misfit) return new Misfit(value.reason, value.why, field.path);
      if (value === LEFT_OUT) complete = false;
      else if (field.refersTo !== null && typeof value === "string")
        refs.push({ field: field.path, entity: field.refersTo, key: value });
      else put(field.onCreate ? onCreate : always, field, value);
    }
    return { fields: always, onCreate, refs, complete };
  };
};

/** In a delete's `update` a plain value is the value itself. */
export const lastWordAsField = (word: LastWord): FieldExpression =>
  typeof word === "object" ? word : { value: word, write: "always" };

/** `custom_fields.a.b` is member `a.b` of the group `custom_fields`: names of custom fields may hold dots. */
export const splitPath = (path: string): readonly [group: string | null, name: string] => {
  const dot = path.indexOf(".");
  return dot < 0 ? [null, path] : [path.slice(0, dot), path.slice(dot + 1)];
};

interface CompiledField {
  readonly path: string;
  readonly group: string | null;
  readonly name: string;
  readonly onCreate: boolean;
  /** Entity whose key `evaluate` gives; null: it gives the value itself. */
  readonly refersTo: Entity | null;
  readonly evaluate: Evaluator;
}

const compileField = (path: string, expression: FieldExpression): CompiledField => {
  const [group, name] = splitPath(path);
  const place = { path, group, name };
  if (typeof expression === "string")
    return { ...place, onCreate: false, refersTo: null, evaluate: (row) => readColumn(row, expression) };
  if ("ref" in expression) {
    const key = compileKey(keyTemplate(expression.key));
    return { ...place, onCreate: false, refersTo: expression.ref, evaluate: (row) => key(row, null) };
  }
  const onCreate = expression.write === "onCreate";
  return { ...place, onCreate, refersTo: null, evaluate: compileExpression(expression) };
};

/** The names come from the configuration, which refuses `__proto__`, so plain objects are safe to build on. */
type Draft = Record<string, FieldValue>;

const put = (draft: Draft, { group, name }: CompiledField, value: FieldValue): void => {
  if (group === null) draft[name] = value;
  else ((draft[group] ??= {}) as Draft)[name] = value;
};
