/**
 * A mapped decimal or date needs a type. Where records come without a schema only the configuration can give it, and without
 * it an amount of money would be its own base64. Each place that reads such a column is a problem of its own.
 */
import { type RouteConfig, routeName } from "./config.ts";
import { type ColumnReader, columnReaders, mayLackTypes } from "./mapped-columns.ts";
import type { RouteProblem } from "./route-problem.ts";

/** Encodings whose records never carry their types. */
const WITHOUT_TYPES: ReadonlySet<RouteConfig["encoding"]> = new Set(["confluent-json-schema", "apicurio-json"]);

/** What the configuration alone proves. Paths are relative to the route. */
export const checkTypes = (route: RouteConfig): readonly RouteProblem[] => {
  if (!WITHOUT_TYPES.has(route.encoding) || !mayLackTypes(route)) return [];
  return columnReaders(route)
    .filter(({ column, use }) => use !== "other" && !isHinted(route, column))
    .map((reader) => {
      const hints = reader.use === "number" ? ["decimal(2)", "text"] : ["date"];
      const message = `${fault(route, reader)}: ${remedy(reader, hints)}.`;
      return { path: reader.path, message, severity: "error" };
    });
};

/** Columns of a topic by name to the hints that fit what was seen in its records, the likeliest first. */
export type UntypedColumns = ReadonlyMap<string, readonly string[]>;

export interface UntypedPlace {
  /** Names route and field. */
  readonly sentence: string;
  /** Names the hint. */
  readonly next: string;
}

/** What a look at a topic's records proves: each place of the configuration that reads such a column. */
export const untypedPlaces = (
  routes: readonly RouteConfig[],
  topic: string,
  untyped: UntypedColumns,
): readonly UntypedPlace[] =>
  routes
    .filter((route) => route.topic === topic)
    .flatMap((route) =>
      columnReaders(route).flatMap((reader) => {
        const hints = untyped.get(reader.column);
        if (hints === undefined) return [];
        const sentence = `Route "${routeName(route)}", ${placeOf(reader.path)} ${fault(route, reader)}.`;
        return [{ sentence, next: remedy(reader, hints) }];
      }),
    );

const isHinted = ({ hints = {} }: RouteConfig, column: string): boolean =>
  Object.keys(hints).some((name) => name === column || name.startsWith(`${column}.`));

const fault = ({ topic }: RouteConfig, { column, use }: ColumnReader): string =>
  `reads column "${column}"${use === "other" ? "" : ` as a ${use}`}, whose type the records of ${topic} do not carry`;

/** The scale is the database's affair: the digits that the mapping writes may be others, and a wrong one moves the point. */
const SCALE = ", 2 standing for its scale in the database";

const remedy = ({ column }: ColumnReader, [hint = "text", other]: readonly string[]): string => {
  const scale = hint.startsWith("decimal") ? SCALE : "";
  return `add hints: { ${column}: ${hint} }${scale}${other === undefined ? "" : `; or ${other}, if it is plain text`}`;
};

const placeOf = ([kind, ...names]: ColumnReader["path"]): string =>
  kind === "fields" ? `field "${names.join(".")}"` : [kind, ...names].join(".");
