/** The two sides that are compared: keys of the ERP with a text each, and how to read that text off a record of the CRM. */
import type { FoundRecord } from "../domain/search.ts";
import type { TargetUse } from "../domain/target-use.ts";
import { textOfFile } from "../lib/text-file.ts";
import type { RouteConfig } from "../map/config.ts";
import { compileRoutes } from "../map/mapper.ts";
import { type ErpKeys, keysOfCsv, readTopicKeys, type TopicReading } from "./erp-keys.ts";
import { matchOf } from "./match.ts";

export interface Sides {
  readonly textOf: (record: FoundRecord) => string | null;
  /** What the account must have for it. */
  readonly uses: readonly TargetUse[];
  keys(reading: Omit<TopicReading, "match" | "mapper">, signal: AbortSignal): Promise<ErpKeys>;
}

/** `match` as in `matchOf`. Throws ConnectorError `USAGE`. */
export const sidesByMatch = (match: string, route: RouteConfig, keyField: string): Sides => {
  const matched = matchOf(match, route, keyField);
  const mapper = compileRoutes([matched.route], { keyField });
  return {
    textOf: ({ fields }) => matched.textIn(fields),
    uses: [keyUse(route), ...fieldUse(matched.field, route)],
    keys: (reading, signal) => readTopicKeys({ ...reading, match: matched, mapper }, signal),
  };
};

/** Somebody has decided already which record is whose. Throws ConnectorError `USAGE`. */
export const sidesByCsv = (file: string, route: RouteConfig): Sides => {
  const keys = keysOfCsv(textOfFile(file), file);
  return { textOf: ({ id }) => String(id), uses: [keyUse(route)], keys: async () => keys };
};

const keyUse = ({ entity }: RouteConfig): TargetUse => ({ entity, where: "The route", what: { kind: "key" } });

/** That there is such a custom field is asked before all records are read in vain. */
const fieldUse = (field: string, { entity }: RouteConfig): readonly TargetUse[] => {
  const [, name] = /^custom_fields\.(.+)$/.exec(field) ?? [];
  if (name === undefined) return [];
  return [{ entity, where: `--match ${field}`, what: { kind: "custom-field", name, values: [] } }];
};
