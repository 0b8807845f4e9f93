/** Records as real connectors wrote them, each decoded to what its row held. `vectors.json` is data: fed as it is, never edited. */
import { describe, expect, test } from "vitest";
import { createDecoder, type TopicFormat } from "../../../src/decode/decoder.ts";
import type { Encoding } from "../../../src/decode/encoding.ts";
import type { Format } from "../../../src/decode/formats.ts";
import type { Change, Decoded } from "../../../src/domain/change.ts";
import type { RecordHeader } from "../../../src/domain/record.ts";
import type { Remembered } from "../../../src/domain/stages.ts";
import { judge, type Verdict, versionAfter } from "../../../src/window/guard.ts";
import { aMutation } from "../../support/builders.ts";
import { aRecord, changeOf, decoderOf } from "./support.ts";
import vectors from "./vectors.json" with { type: "json" };

interface Vector {
  readonly name: string;
  readonly topic: string;
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

/** Formats by the beginning of a vector's name; the rest are envelopes. */
const FORMATS: readonly (readonly [prefix: string, format: Format])[] = [
  ["flat-", "debezium-json-flattened"],
  ["cloudevents-", "cloudevents"],
  ["outbox-", "outbox"],
  ["mongodb-", "mongodb"],
  ["jdbc-", "json"],
  ["maxwell-", "maxwell"],
  ["canal-", "canal"],
  ["goldengate-", "goldengate"],
  ["qlik-", "qlik"],
  ["aws-dms-", "dms"],
  ["sap-", "sap-odq"],
];

const formatOf = ({ name, encoding, hints = {} }: Vector): TopicFormat => {
  const [, format = "debezium-json" as const] = FORMATS.find(([prefix]) => name.startsWith(prefix)) ?? [];
  return { format, encoding: encoding as Encoding, hints };
};

const SKIPPED: Readonly<Record<string, string>> = {
  heartbeat: "heartbeat",
  transaction: "transaction",
  truncate: "truncate",
  message: "logical-message",
  schemaChange: "schema-change",
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

const decodeVector = (vector: Vector): Decoded => {
  const value = bytesOf(vector.valueJson, vector.valueBase64);
  const record = aRecord(value, bytesOf(vector.keyJson, vector.keyBase64), headersOf(vector));
  return decoderOf(formatOf(vector), vector.schemas)(record);
};

const originOf = ({ op, snapshot }: Readonly<Record<string, unknown>>): string => {
  if (snapshot === null) return "unknown";
  if (snapshot === "incremental") return "incremental";
  return snapshot === "false" && op !== "r" ? "streamed" : "snapshot";
};

/** Prototypes differ (rows have none), values must not. */
const asJson = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

/** The words of the vectors for what a change has no word of its own. */
const opOf = (op: unknown): unknown => (op === "event" ? "upsert" : op);
const keyOf = (key: unknown): unknown => (typeof key === "string" ? { aggregateid: key } : key);

const checkChange = (change: Change | undefined, { kind, version, ...expected }: Vector["expect"]): void => {
  if (change === undefined) throw new Error("a change is missing");
  const parts = change.version?.parts.slice(0, Array.isArray(version) ? version.length : 0) ?? null;
  expect({ ...change, version: parts?.map((part) => (part === "" ? null : part)) ?? null }).toMatchObject({
    op: opOf(expected.op),
    version,
    origin: originOf(expected),
    tombstone: kind === "tombstone",
    sourceTsMs: expected.ts,
    txId: expected.txId,
  });
  expect(asJson([change.key, change.before, change.after])).toEqual(
    asJson([keyOf(expected.key), expected.before, expected.after]),
  );
};

const check = (decoded: Decoded, expected: Vector["expect"]): void => {
  const { kind, reason, changes } = expected;
  if (kind === "error") {
    expect(decoded).toMatchObject({ status: "errant", errant: { stage: "decode", reason } });
  } else if (kind === "ignore" || kind in SKIPPED) {
    expect(decoded).toEqual({ status: "skip", reason: SKIPPED[kind] ?? reason });
  } else if (kind === "batch") {
    const batch = changes as readonly Vector["expect"][];
    expect(decoded.status === "changes" && decoded.changes).toHaveLength(batch.length);
    for (const [at, one] of batch.entries())
      checkChange(decoded.status === "changes" ? decoded.changes[at] : undefined, one);
  } else {
    checkChange(changeOf(decoded), expected);
  }
};

const all = vectors as readonly unknown[] as readonly Vector[];
/** An ordinary row in a topic of its own, which the configuration leaves out. */
const SIGNAL = "pg-signal-table-event";

const vectorOf = (name: string): Vector => {
  const vector = all.find((one) => one.name === name);
  if (vector === undefined) throw new Error(`there is no vector ${name}`);
  return vector;
};

describe("vectors", () => {
  for (const vector of all.filter(({ name }) => name !== SIGNAL))
    test(vector.name, () => check(decodeVector(vector), vector.expect));

  test(SIGNAL, () => {
    const { topic, keyJson, valueJson } = vectorOf(SIGNAL);
    const record = aRecord(valueJson, keyJson);
    const decoder = createDecoder(new Map([["erp.sales.customers", { format: "debezium-json" }]]), { schemas: null });
    const decoded = decoder.decode({ ...record, position: { ...record.position, topic } });
    expect(decoded).toEqual({ status: "skip", reason: "no-route" });
  });

  test("are 108", () => expect(all).toHaveLength(108));
});

describe("the guard, on captured sequences of one key", () => {
  /** The verdicts on records that Sell accepts one after the other. */
  const verdictsOn = (names: readonly string[]): readonly Verdict[] => {
    let known: Remembered | null = null;
    return names.map((name) => {
      const { op, version, origin, tombstone } = changeOf(decodeVector(vectorOf(name)));
      const mutation = aMutation({ action: op === "d" ? "delete" : "upsert", version, origin, tombstone });
      const verdict = judge(mutation, known);
      if (verdict === "apply")
        known = {
          ...{ id: 7, deleted: op === "d", version: versionAfter(mutation, known), route: mutation.route },
          ...{ fingerprint: null, acceptedAtMs: 0, from: "" },
        };
      return verdict;
    });
  };

  test.each([
    ["pg-inflight-tx-snapshot-1-read", "pg-inflight-tx-snapshot-2-update"],
    ["pg-inflight-tx-incremental-1-read", "pg-inflight-tx-incremental-2-update"],
  ])("%s does not keep the newer %s out", (read, update) => {
    expect(vectorOf(update).expect.mustApply).toBe(true);
    expect(verdictsOn([read, update])).toEqual(["apply", "apply"]);
  });

  test("what comes again after a restart is skipped", () => {
    const again = "pg-duplicate-after-restart";
    expect(vectorOf(again).expect).toMatchObject({ mustSkip: true, duplicateOf: "pg-duplicate-first-delivery" });
    expect(verdictsOn(["pg-duplicate-first-delivery", again])).toEqual(["apply", "duplicate"]);
  });

  test("the tombstone behind a delete asks for nothing", () => {
    expect(verdictsOn(["flat-rewrite-with-tombstone-delete", "flat-rewrite-with-tombstone-tombstone"])).toEqual([
      "apply",
      "already-deleted",
    ]);
  });
});
