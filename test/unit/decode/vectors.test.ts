/** Records as real connectors wrote them, each decoded to what its row held. `vectors.json` is data: fed as it is, never edited. */
import { describe, expect, test } from "vitest";
import type { Format } from "../../../src/decode/decoder.ts";
import type { ColumnValue, Decoded } from "../../../src/domain/change.ts";
import type { RecordHeader } from "../../../src/domain/record.ts";
import { aRecord, changeOf, decoderOf } from "./support.ts";
import vectors from "./vectors.json" with { type: "json" };

interface Vector {
  readonly name: string;
  readonly encoding: string;
  readonly keyJson: string | null;
  readonly valueJson: string | null;
  readonly keyBase64?: string | null;
  readonly valueBase64?: string | null;
  readonly schemas?: Readonly<Record<string, unknown>>;
  readonly hints?: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string | { readonly $base64: string }>>;
  readonly expect: Readonly<Record<string, unknown>> & { readonly kind: string };
}

/** Vectors of other shapes by the first word of their name; the rest are envelopes or, named so, flattened. */
const LATER_SHAPES = /^(cloudevents|outbox|mongodb|jdbc|maxwell|canal|goldengate|qlik|aws|sap)-/;
/** Excluded by not routing its topic, which is the configuration's part. */
const NOT_ROUTED = new Set(["pg-signal-table-event"]);

const SKIPPED: Readonly<Record<string, string>> = {
  heartbeat: "heartbeat",
  transaction: "transaction",
  truncate: "truncate",
  message: "logical-message",
  schemaChange: "schema-change",
};

const formatOf = ({ name, encoding }: Vector): Format | null => {
  if (LATER_SHAPES.test(name) || NOT_ROUTED.has(name)) return null;
  const isFlattened = name.startsWith("flat-");
  if (encoding === "json") return isFlattened ? "debezium-json-flattened" : "debezium-json";
  if (encoding === "confluent-avro") return isFlattened ? "debezium-avro-flattened" : "debezium-avro";
  return null;
};

const bytesOf = (json: string | null, base64: string | null | undefined): Buffer | null => {
  if (base64 !== undefined) return base64 === null ? null : Buffer.from(base64, "base64");
  return json === null ? null : Buffer.from(json);
};

const headersOf = (vector: Vector): RecordHeader[] =>
  Object.entries(vector.headers).map(([name, value]) => [
    name,
    typeof value === "string" ? Buffer.from(value) : Buffer.from(value.$base64, "base64"),
  ]);

const decodeVector = (vector: Vector, format: Format): Decoded => {
  const decode = decoderOf({ format, hints: vector.hints ?? {} }, vector.schemas);
  const value = bytesOf(vector.valueJson, vector.valueBase64);
  return decode(aRecord(value, bytesOf(vector.keyJson, vector.keyBase64), headersOf(vector)));
};

const originOf = ({ expect: { op, snapshot } }: Vector): string => {
  if (snapshot === null) return "unknown";
  if (snapshot === "incremental") return "incremental";
  return snapshot === "false" && op !== "r" ? "streamed" : "snapshot";
};

/** Prototypes differ (rows have none), values must not. */
const asJson = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

const check = (vector: Vector, decoded: Decoded): void => {
  const { kind, reason, op, key, before, after, version, ts, txId } = vector.expect;
  if (kind === "error") {
    expect(decoded).toMatchObject({ status: "errant", errant: { stage: "decode", reason } });
  } else if (kind === "ignore" || kind in SKIPPED) {
    expect(decoded).toEqual({ status: "skip", reason: SKIPPED[kind] ?? reason });
  } else {
    const change = changeOf(decoded);
    const parts = change.version?.parts.slice(0, Array.isArray(version) ? version.length : 0) ?? null;
    expect({ ...change, version: parts?.map((part) => (part === "" ? null : part)) ?? null }).toMatchObject({
      op,
      version,
      origin: originOf(vector),
      tombstone: kind === "tombstone",
      sourceTsMs: ts,
      txId,
    });
    expect(asJson([change.key, change.before, change.after])).toEqual(asJson([key, before, after] as ColumnValue[]));
  }
};

const all = vectors as readonly unknown[] as readonly Vector[];

describe("vectors", () => {
  for (const vector of all) {
    const format = formatOf(vector);
    if (format === null) test.todo(vector.name);
    else test(vector.name, () => check(vector, decodeVector(vector, format)));
  }

  test("none is left out", () => {
    expect(all.filter((vector) => formatOf(vector) !== null)).toHaveLength(87);
  });
});
