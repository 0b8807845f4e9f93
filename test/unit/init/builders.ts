/** Sampled topics and columns, each with the one thing a test cares about. */
import type { Document } from "yaml";
import type { Column, Kind } from "../../../src/init/columns.ts";
import { connectionsIn, type Named } from "../../../src/init/connections.ts";
import type { ProposeOptions } from "../../../src/init/propose.ts";
import type { SampledTopic } from "../../../src/init/sampled-topic.ts";
import { quoted } from "../../../src/init/write-config.ts";

export const aColumn = (name: string, kind: Kind = "text", column: Partial<Column> = {}): Column => ({
  ...{ name, kind, digits: kind === "decimal" ? 2 : 0, numberHint: null, dateHint: null, country: null },
  ...column,
});

/** Columns by name; the first is the key. */
export const aTopic = (
  topic: string,
  columns: readonly (string | Column)[],
  sampled: Partial<SampledTopic> = {},
): SampledTopic => {
  const all = columns.map((column) => (typeof column === "string" ? aColumn(column) : column));
  return {
    ...{ topic, format: "debezium-avro", table: null, key: all.slice(0, 1).map(({ name }) => name), columns: all },
    ...{ isUnverified: false, wanted: null, records: 20 },
    ...sampled,
  };
};

export const proposing = (options: Partial<ProposeOptions> = {}): ProposeOptions => ({
  ...{ country: null, zone: "UTC", keyField: "erp_id", owner: "sales@example.com", customFieldsOf: () => null, quoted },
  ...options,
});

/** As options name them: what `init` writes besides routes. */
export const connections = (named: Named = {}): Document => {
  const places = { brokers: ["kafka:9092"], registry: "http://registry:8081", redis: "redis://redis:6379", ...named };
  const given = connectionsIn(null, places, { env: {}, readFile: () => "" });
  if (given.status === "refused") throw new Error(JSON.stringify(given.problems));
  return given.document;
};
