/**
 * What the schema cannot see: fields that the entity does not have, keys that lose the order, values that Sell will
 * refuse. All problems are found in one pass, so that a user corrects the file once.
 */
import { isDeepStrictEqual } from "node:util";
import { lastWordAsField } from "./body.ts";
import { CATALOGUE, OWNER_FIELD } from "./catalogue.ts";
import type { RouteConfig } from "./config.ts";
import type { FieldExpression, LastWord } from "./expression-config.ts";
import { expressionProblems, keyProblems } from "./expression-problems.ts";
import { fieldProblems } from "./field-problems.ts";
import { formatProblems } from "./format-problems.ts";
import { columnsOfKey, columnsOfLastWord } from "./mapped-columns.ts";
import { conflicts } from "./route-conflicts.ts";
import type { RouteProblem } from "./route-problem.ts";

export interface RoutesOptions {
  /** Custom field that holds the ERP key; the connector writes it itself. */
  readonly keyField: string;
}

export const routesProblems = (
  routes: readonly RouteConfig[],
  { keyField }: RoutesOptions,
): readonly RouteProblem[] => [
  ...routes.flatMap((route, index) =>
    CHECKS.flatMap((check) => check(route, keyField)).map((problem) => ({
      ...problem,
      path: ["routes", index, ...problem.path],
    })),
  ),
  ...conflicts(routes),
];

/** Paths are relative to the route. */
type Check = (route: RouteConfig, keyField: string) => readonly RouteProblem[];

const error = (path: RouteProblem["path"], message: string): RouteProblem => ({ path, message, severity: "error" });
const warning = (path: RouteProblem["path"], message: string): RouteProblem => ({ path, message, severity: "warning" });

const checkFields: Check = ({ entity, fields, onDelete }, keyField) => {
  const written = Object.entries(fields).map(([name, expression]) => ({ path: ["fields", name], name, expression }));
  const lastWords = Object.entries(typeof onDelete === "object" ? onDelete.update : {}).map(([name, word]) => ({
    path: ["onDelete", "update", name],
    name,
    expression: lastWordAsField(word),
  }));
  return [...written, ...lastWords].flatMap(({ path, name, expression }) =>
    [...fieldProblems(entity, name, expression, keyField), ...expressionProblems(expression)].map((message) =>
      error(path, message),
    ),
  );
};

const checkKey: Check = ({ key }) => keyProblems(key).map((message) => error(["key"], message));

const checkOrder: Check = ({ entity, key, keyColumns = [], acceptUnordered }) => {
  const lacking = keyColumns.filter((column) => !columnsOfKey(key).includes(column));
  if (lacking.length === 0) return [];
  const names = lacking.map((column) => `"${column}"`).join(", ");
  if (entity === "orders" && lacking.length < keyColumns.length)
    return [
      error(
        ["key"],
        `leaves out ${names} of the record key, so this topic has one row a line; an order's lines cannot be rebuilt from one row: send them as a list in the order's own record, by an outbox or a stream join.`,
      ),
    ];
  if (acceptUnordered) return [];
  const ways = "take the key from the record key's columns, or accept it with acceptUnordered: true";
  return [
    error(["key"], `leaves out ${names} of the record key, so changes of one record may arrive out of order; ${ways}.`),
  ];
};

/** Sell keeps one order a deal and no ERP key of it: the deal's key is the order's. */
const checkOneOrderADeal: Check = ({ entity, key, fields }) => {
  if (entity !== "orders") return [];
  const deal = fields["deal_id"];
  if (typeof deal === "object" && "ref" in deal && isDeepStrictEqual(deal.key, key)) return [];
  const message = `has to be { ref: deals, key: ${JSON.stringify(key)} }, like the key of the route: Sell keeps one order a deal and finds it by the deal alone.`;
  return [error(["fields", "deal_id"], message)];
};

/** People tag too, and Sell replaces the list as a whole. */
const checkTags: Check = ({ fields }) => {
  const { tags } = fields;
  if (tags === undefined || (typeof tags === "object" && "owned" in tags && tags.owned !== undefined)) return [];
  const isOnce = typeof tags === "object" && "write" in tags && tags.write === "onCreate";
  if (isOnce) return [];
  const message =
    "replaces all tags of a record, also those that people added; say with owned which are the connector's.";
  return [warning(["fields", "tags"], message)];
};

const checkDeletes: Check = ({ key, keyColumns, replicaIdentity, onDelete }) => {
  if (onDelete === "ignore" || replicaIdentity === "full" || keyColumns === undefined) return [];
  const isUnknown = (column: string): boolean => !keyColumns.includes(column);
  const ways = "set replicaIdentity: full if the source sends whole rows with deletes";
  const unknownKey = columnsOfKey(key).some(isUnknown);
  const unknownFields = Object.entries(typeof onDelete === "object" ? onDelete.update : {}).filter(([, word]) =>
    columnsOfLastWord(word).some(isUnknown),
  );
  return [
    ...(unknownKey
      ? [warning(["key"], `is not in the record key, so every delete becomes a dead letter; ${ways}.`)]
      : []),
    ...unknownFields.map(([name]) =>
      warning(["onDelete", "update", name], `reads a column that deletes do not tell; ${ways}, or write a constant.`),
    ),
  ];
};

const checkCreates: Check = ({ entity, fields, mode }) => {
  if (mode === "updateOnly") return [];
  const { requiredOnCreate, fields: known } = CATALOGUE[entity];
  const missing = requiredOnCreate.filter((names) => !names.some((name) => Object.hasOwn(fields, name)));
  const isOwnerless = known.has(OWNER_FIELD) && !Object.hasOwn(fields, OWNER_FIELD);
  return [
    ...missing.map((names) =>
      warning(["fields"], `lacks ${names.join(" or ")}, without which Sell creates no record.`),
    ),
    ...(isOwnerless ? [warning(["fields"], `lacks ${OWNER_FIELD}: new records will belong to the token's user.`)] : []),
  ];
};

/** Fields for creation where nothing is ever created. */
const checkNeverWritten: Check = ({ fields, mode, onDelete }) => {
  const idle = (path: readonly string[], expressions: Readonly<Record<string, FieldExpression | LastWord>>) =>
    Object.entries(expressions)
      .filter(([, it]) => typeof it === "object" && "write" in it && it.write === "onCreate")
      .map(([name]) => warning([...path, name], "is never written: nothing is created here."));
  return [
    ...(mode === "updateOnly" ? idle(["fields"], fields) : []),
    ...(typeof onDelete === "object" ? idle(["onDelete", "update"], onDelete.update) : []),
  ];
};

const checkNotEmpty: Check = ({ fields, onDelete }) => [
  ...(Object.keys(fields).length > 0 ? [] : [error(["fields"], "is empty; map at least one field.")]),
  ...(typeof onDelete === "object" && Object.keys(onDelete.update).length === 0
    ? [error(["onDelete", "update"], "is empty; write at least one field, or set onDelete: ignore.")]
    : []),
];

const CHECKS: readonly Check[] = [
  formatProblems,
  checkKey,
  checkNotEmpty,
  checkFields,
  checkOrder,
  checkOneOrderADeal,
  checkTags,
  checkDeletes,
  checkCreates,
  checkNeverWritten,
];
