/** Which columns the mapping reads, where, and as what: to be compared with what a topic's records really have. */
import type { Entity } from "../domain/mutation.ts";
import type { RouteConfig } from "./config.ts";
import type {
  ColumnExpression,
  FieldExpression,
  KeyExpression,
  LastWord,
  NameExpression,
} from "./expression-config.ts";
import { keyTemplate, parseTemplate } from "./template.ts";

/** What a column has to be: `other` is everything that takes any value, like text. */
export type ColumnUse = "number" | "date" | "other";

/** One place of a route that reads a column. */
export interface ColumnReader {
  readonly column: string;
  readonly use: ColumnUse;
  /** Relative to the route: `["fields", "value"]`. */
  readonly path: readonly string[];
}

/** All columns that the topic's routes read, for fields, keys, filters and deletes: each once, sorted. */
export const mappedColumns = (routes: readonly RouteConfig[], topic: string): readonly string[] => {
  const columns = routes.filter((route) => route.topic === topic).flatMap((route) => columnReaders(route));
  return [...new Set(columns.map(({ column }) => column))].sort();
};

/**
 * What the topic's routes read each column as, for topics whose records may come without types: JSON of Kafka Connect. Read
 * in several ways, it has to be the narrowest.
 */
export const columnUses = (routes: readonly RouteConfig[], topic: string): ReadonlyMap<string, ColumnUse> => {
  const uses = new Map<string, ColumnUse>();
  for (const route of routes) {
    if (route.topic !== topic || !mayLackTypes(route)) continue;
    for (const { column, use } of columnReaders(route))
      if ((uses.get(column) ?? "other") === "other") uses.set(column, use);
  }
  return uses;
};

/** These bring types of their own, or numbers and dates as they are read by people; only Connect writes base64 for a decimal. */
const SPEAK_PLAINLY: ReadonlySet<RouteConfig["format"]> = new Set([
  ...(["mongodb", "maxwell", "canal", "goldengate", "qlik", "dms"] as const),
]);

export const mayLackTypes = ({ format }: Pick<RouteConfig, "format">): boolean => !SPEAK_PLAINLY.has(format);

export const columnReaders = ({ entity, key, fields, when, onDelete }: RouteConfig): readonly ColumnReader[] => [
  ...columnsOfKey(key).map((column) => anyOf(column, ["key"])),
  ...Object.entries(fields).flatMap(([name, field]) => readersOf(field, ["fields", name], useOfField(entity, name))),
  ...Object.keys(when ?? {}).map((column) => anyOf(column, ["when", column])),
  ...Object.entries(typeof onDelete === "object" ? onDelete.update : {}).flatMap(([name, word]) =>
    typeof word === "object" ? readersOf(word, ["onDelete", "update", name], useOfField(entity, name)) : [],
  ),
];

export const columnsOfKey = (key: KeyExpression): readonly string[] => keyTemplate(key).columns;

export const columnsOfLastWord = (word: LastWord): readonly string[] =>
  typeof word === "object" ? readersOf(word, [], "other").map(({ column }) => column) : [];

const readersOf = (
  expression: FieldExpression,
  path: ColumnReader["path"],
  use: ColumnUse,
): readonly ColumnReader[] => {
  if (typeof expression === "string") return [{ column: expression, use, path }];
  // The columns of a line are not the row's own.
  if ("each" in expression) return [anyOf(expression.from, path)];
  if ("owner" in expression) return readersOfName(expression.owner, path);
  if ("stage" in expression) return readersOfName(expression.stage, path);
  if ("from" in expression) return [{ column: expression.from, use: useOf(expression, use), path }];
  if ("ref" in expression) return columnsOfKey(expression.key).map((column) => anyOf(column, path));
  const columns = "template" in expression ? parseTemplate(expression.template).columns : [];
  return columns.map((column) => anyOf(column, path));
};

const readersOfName = (name: NameExpression, path: ColumnReader["path"]): readonly ColumnReader[] => {
  if (typeof name === "string") return [];
  return "from" in name
    ? [anyOf(name.from, path)]
    : parseTemplate(name.template).columns.map((column) => anyOf(column, path));
};

const anyOf = (column: string, path: ColumnReader["path"]): ColumnReader => ({ column, use: "other", path });

/** A lookup stands between the column and what is written: then it is not the column's own value that is a number. */
const useOf = ({ transform, values, as }: ColumnExpression, use: ColumnUse): ColumnUse => {
  if ([transform ?? []].flat().some((step) => typeof step === "object" && "date" in step)) return "date";
  if (values !== undefined) return "other";
  if (as === undefined || as === "string") return use;
  return as === "integer" || as.startsWith("decimal") ? "number" : "other";
};

const useOfField = (entity: Entity, field: string): ColumnUse => {
  if (NUMBERS[entity]?.includes(field)) return "number";
  return DATES[entity]?.includes(field) ? "date" : "other";
};

/** Fields of Sell that hold a number or a date, whatever the mapping says of the column. Custom fields are the account's own. */
const NUMBERS: Readonly<Partial<Record<Entity, readonly string[]>>> = {
  deals: ["value", "customized_win_likelihood"],
  products: ["cost", "max_discount", "max_markup"],
  orders: ["discount"],
};
const DATES: Readonly<Partial<Record<Entity, readonly string[]>>> = {
  deals: ["estimated_close_date", "last_stage_change_at", "added_at", "added_on"],
};
