/** Which columns the mapping reads, so that `validate --online` can compare them with what a topic really has. */
import type { FieldExpression, KeyExpression, LastWord, RouteConfig } from "./config.ts";
import { keyTemplate, parseTemplate } from "./template.ts";

/** All columns that the topic's routes read, for fields, keys, filters and deletes: each once, sorted. */
export const mappedColumns = (routes: readonly RouteConfig[], topic: string): readonly string[] => {
  const columns = routes.filter((route) => route.topic === topic).flatMap(columnsOfRoute);
  return [...new Set(columns)].sort();
};

const columnsOfRoute = ({ key, fields, when, onDelete }: RouteConfig): readonly string[] => [
  ...columnsOfKey(key),
  ...Object.values(fields).flatMap(columnsOf),
  ...Object.keys(when ?? {}),
  ...(typeof onDelete === "object" ? Object.values(onDelete.update).flatMap(columnsOfLastWord) : []),
];

export const columnsOfKey = (key: KeyExpression): readonly string[] => keyTemplate(key).columns;

const columnsOf = (expression: FieldExpression): readonly string[] => {
  if (typeof expression === "string") return [expression];
  if ("from" in expression) return [expression.from];
  if ("ref" in expression) return columnsOfKey(expression.key);
  return "template" in expression ? parseTemplate(expression.template).columns : [];
};

export const columnsOfLastWord = (word: LastWord): readonly string[] =>
  typeof word === "object" ? columnsOf(word) : [];
