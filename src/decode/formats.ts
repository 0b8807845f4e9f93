/** The formats a topic may have: a shape, and the encoding it has unless the topic names another one. */
import { decodeCanal } from "./canal.ts";
import { decodeCloudEvent } from "./cloudevents.ts";
import { decodeConfluentOracle } from "./confluent-oracle.ts";
import { decodeDms } from "./dms.ts";
import type { Encoding } from "./encoding.ts";
import { decodeEnvelope } from "./envelope.ts";
import { decodeFlattened } from "./flattened.ts";
import { decodeGoldengate } from "./goldengate.ts";
import { decodeMaxwell, maxwellKey } from "./maxwell.ts";
import { decodeMongodb } from "./mongodb.ts";
import { AGGREGATE_ID, decodeOutbox, payloadOf } from "./outbox.ts";
import { decodeQlik } from "./qlik.ts";
import type { Raw, RawStruct } from "./raw.ts";
import { decodeRow } from "./rows.ts";
import { decodeSapOdq } from "./sap-odq.ts";
import type { Shape } from "./shape.ts";

export interface FormatSpec {
  readonly encoding: Encoding;
  readonly shape: Shape;
  /**
   * The key columns of a record key. `ignored`: the key is text by some template, or null, and the row tells who it is.
   * Absent: the key is a struct of them.
   */
  readonly key?: "ignored" | ((raw: Raw) => RawStruct | null);
  /** Name of a record key that is a bare value, where the topic gives none. */
  readonly keyColumn?: string;
  /** Looks into a value before its shape does. */
  readonly open?: (raw: Raw) => Raw;
}

export type Format =
  | "debezium-json"
  | "debezium-avro"
  | "debezium-json-flattened"
  | "debezium-avro-flattened"
  | "json"
  | "avro"
  | "cloudevents"
  | "outbox"
  | "mongodb"
  | "maxwell"
  | "canal"
  | "goldengate"
  | "confluent-oracle"
  | "qlik"
  | "dms"
  | "sap-odq";

export const FORMATS: Readonly<Record<Format, FormatSpec>> = {
  "debezium-json": { encoding: "json", shape: decodeEnvelope },
  "debezium-avro": { encoding: "confluent-avro", shape: decodeEnvelope },
  "debezium-json-flattened": { encoding: "json", shape: decodeFlattened },
  "debezium-avro-flattened": { encoding: "confluent-avro", shape: decodeFlattened },
  json: { encoding: "json", shape: decodeRow },
  avro: { encoding: "confluent-avro", shape: decodeRow },
  cloudevents: { encoding: "json", shape: decodeCloudEvent },
  outbox: { encoding: "json", shape: decodeOutbox, keyColumn: AGGREGATE_ID, open: payloadOf },
  mongodb: { encoding: "json", shape: decodeMongodb },
  maxwell: { encoding: "json", shape: decodeMaxwell, key: maxwellKey },
  canal: { encoding: "json", shape: decodeCanal, key: "ignored" },
  goldengate: { encoding: "json", shape: decodeGoldengate, key: "ignored" },
  "confluent-oracle": { encoding: "json", shape: decodeConfluentOracle },
  qlik: { encoding: "json", shape: decodeQlik, key: "ignored" },
  dms: { encoding: "json", shape: decodeDms, key: "ignored" },
  "sap-odq": { encoding: "json", shape: decodeSapOdq, key: "ignored" },
};
