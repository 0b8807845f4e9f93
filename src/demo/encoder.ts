/** Changes as bytes: JSON without schemas, or Avro in Confluent's framing with its schemas in a registry. */
import { SchemaRegistry, SchemaType } from "@kafkajs/confluent-schema-registry";
import { type Commit, envelopeOf, keyOf } from "./envelope.ts";
import { COLUMNS, type ColumnType, type ErpChange, KEY_COLUMNS, TABLE_NAMES, type TableName } from "./tables.ts";

export interface Encoder {
  key(change: ErpChange): Promise<Buffer>;
  value(change: ErpChange, commit: Commit): Promise<Buffer>;
}

export const jsonEncoder: Encoder = {
  key: async (change) => Buffer.from(JSON.stringify(keyOf(change))),
  value: async (change, commit) =>
    Buffer.from(JSON.stringify(envelopeOf(change, commit, (unscaled) => unscaled.toString("base64")))),
};

/** Registers the schemas of all tables first. `registryUrl` serves a Confluent-compatible API. */
export const avroEncoder = async (registryUrl: string, topicOf: (table: TableName) => string): Promise<Encoder> => {
  const registry = new SchemaRegistry({ host: registryUrl });
  const register = async (subject: string, schema: object): Promise<number> =>
    (await registry.register({ type: SchemaType.AVRO, schema: JSON.stringify(schema) }, { subject })).id;
  const ids = new Map<TableName, { readonly key: number; readonly value: number }>();
  for (const table of TABLE_NAMES) {
    ids.set(table, {
      key: await register(`${topicOf(table)}-key`, keySchema(table)),
      value: await register(`${topicOf(table)}-value`, envelopeSchema(table)),
    });
  }
  const idsOf = (table: TableName) => ids.get(table) ?? { key: 0, value: 0 };
  return {
    key: (change) => registry.encode(idsOf(change.table).key, keyOf(change)),
    value: (change, commit) =>
      registry.encode(
        idsOf(change.table).value,
        envelopeOf(change, commit, (unscaled) => unscaled),
      ),
  };
};

// The schemas as Debezium's converter registers them: semantic types are in connect.name.

const keySchema = (table: TableName): object => ({
  type: "record",
  name: "Key",
  namespace: `erp.sales.${table}`,
  fields: fieldsOf(table).slice(0, 1),
});

const envelopeSchema = (table: TableName): object => ({
  type: "record",
  name: "Envelope",
  namespace: `erp.sales.${table}`,
  fields: [
    { name: "before", type: ["null", { type: "record", name: "Value", fields: fieldsOf(table) }], default: null },
    { name: "after", type: ["null", "Value"], default: null },
    { name: "source", type: SOURCE },
    { name: "op", type: "string" },
    { name: "ts_ms", type: ["null", "long"], default: null },
  ],
});

const fieldsOf = (table: TableName): object[] =>
  Object.entries(COLUMNS[table]).map(([name, type]) =>
    name === KEY_COLUMNS[table] || type !== "text"
      ? { name, type: AVRO[type] }
      : { name, type: ["null", AVRO[type]], default: null },
  );

const AVRO: { readonly [T in ColumnType]: unknown } = {
  integer: "long",
  text: "string",
  money: {
    type: "bytes",
    logicalType: "decimal",
    precision: 12,
    scale: 2,
    "connect.parameters": { scale: "2", "connect.decimal.precision": "12" },
    "connect.name": "org.apache.kafka.connect.data.Decimal",
  },
  date: { type: "int", "connect.name": "io.debezium.time.Date" },
  timestamp: { type: "string", "connect.name": "io.debezium.time.ZonedTimestamp" },
};

const SOURCE = {
  type: "record",
  name: "Source",
  namespace: "io.debezium.connector.postgresql",
  fields: [
    ...["version", "connector", "name"].map((name) => ({ name, type: "string" })),
    { name: "ts_ms", type: "long" },
    { name: "snapshot", type: ["string", "null"], default: "false" },
    { name: "db", type: "string" },
    { name: "sequence", type: ["null", "string"], default: null },
    ...["schema", "table"].map((name) => ({ name, type: "string" })),
    ...["txId", "lsn"].map((name) => ({ name, type: ["null", "long"], default: null })),
  ],
};
