/** The fields of a route, compiled to one function that builds a request body from a row. */
import type { Row } from "../domain/change.ts";
import type { Entity, Fields, FieldValue, Ref } from "../domain/mutation.ts";
import type { FieldExpression, LastWord, LinesExpression } from "./expression-config.ts";
import { compileExpression } from "./field.ts";
import { compileKey, keyTemplate } from "./template.ts";
import { type Evaluated, LEFT_OUT, Misfit, readColumn } from "./value.ts";

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
      if (value instanceof Misfit) return new Misfit(value.reason, value.why, value.field ?? field.path);
      if (value === LEFT_OUT) complete = false;
      else if (value instanceof Lines) {
        put(always, field, value.lines);
        refs.push(...value.refs);
        complete &&= value.complete;
      } else if (field.refersTo !== null && typeof value === "string")
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
  readonly evaluate: (row: Row) => Evaluated | Lines;
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
  if ("each" in expression)
    return { ...place, onCreate: false, refersTo: null, evaluate: compileLines(path, expression) };
  const onCreate = expression.write === "onCreate";
  return { ...place, onCreate, refersTo: null, evaluate: compileExpression(expression) };
};

/** All lines of one order. */
class Lines {
  readonly lines: readonly Fields[];
  readonly refs: readonly Ref[];
  readonly complete: boolean;

  constructor(lines: readonly Fields[], refs: readonly Ref[], complete: boolean) {
    this.lines = lines;
    this.refs = refs;
    this.complete = complete;
  }
}

/** Sell takes 200 products a deal; beyond this it is no list of lines. */
const LINES_MAX = 1_000;

/**
 * Each element goes through the mapping like a row. Its product is a reference, and its sku goes along: of a line that is
 * there already the CRM tells the sku alone.
 */
const compileLines = (path: string, { from, each }: LinesExpression) => {
  const bodyOf = compileBody(each);
  return (row: Row): Lines | typeof LEFT_OUT | Misfit => {
    const column = readColumn(row, from);
    if (column === LEFT_OUT || column instanceof Misfit) return column;
    const elements = listIn(column);
    if (elements === null || elements.length > LINES_MAX) return new Misfit("bad-value", noList(from), path);
    const lines: Fields[] = [];
    const refs: Ref[] = [];
    let complete = true;
    for (const [index, element] of elements.entries()) {
      const body = bodyOf(element);
      if (body instanceof Misfit) return new Misfit(body.reason, body.why, `${path}.${body.field}`);
      const product = body.refs.find(({ field }) => field === LINE_PRODUCT);
      if (product === undefined) return new Misfit("bad-value", NO_PRODUCT, `${path}.${LINE_PRODUCT}`);
      lines.push({ ...body.fields, sku: product.key });
      refs.push(...body.refs.map((ref) => ({ ...ref, field: `${path}.${index}.${ref.field}` })));
      complete &&= body.complete;
    }
    return new Lines(lines, refs, complete);
  };
};

const LINE_PRODUCT = "product_id";
const NO_PRODUCT = "a line names no product; correct the row";
const noList = (column: string): string =>
  `column "${column}" is no list of lines, as objects or as JSON text, with ${LINES_MAX} at most; correct the row or the mapping`;

/** Null is an order without lines; null as the result: no list of objects. */
const listIn = (value: FieldValue): readonly Row[] | null => {
  const list = typeof value === "string" ? parsedList(value) : (value ?? []);
  const isRow = (element: FieldValue): boolean =>
    typeof element === "object" && element !== null && !Array.isArray(element);
  if (!Array.isArray(list) || !list.every(isRow)) return null;
  return list.map((element) => Object.assign(Object.create(null), element));
};

/** Numbers that a double would not hold as they are written stay text. */
const parsedList = (text: string): FieldValue => {
  try {
    return JSON.parse(text, (_, value: FieldValue, context?: { readonly source?: string }) =>
      typeof value === "number" && !Number.isSafeInteger(value) ? (context?.source ?? value) : value,
    );
  } catch {
    return text;
  }
};

/** The names come from the configuration, which refuses `__proto__`, so plain objects are safe to build on. */
type Draft = Record<string, FieldValue>;

const put = (draft: Draft, { group, name }: CompiledField, value: FieldValue): void => {
  if (group === null) draft[name] = value;
  else ((draft[group] ??= {}) as Draft)[name] = value;
};
