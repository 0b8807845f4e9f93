/** Records as real connectors wrote them, each decoded to what its row held. */
import { describe, expect, test } from "vitest";
import { createDecoder } from "../../../src/decode/decoder.ts";
import type { Change, Decoded } from "../../../src/domain/change.ts";
import type { Remembered } from "../../../src/domain/stages.ts";
import { judge, type Verdict, versionAfter } from "../../../src/window/guard.ts";
import { aMutation } from "../../support/builders.ts";
import { aRecord, changeOf, decoderOf } from "./support.ts";
import { bytesOf, formatOf, VECTORS, type Vector } from "./vectors.ts";

const SKIPPED: Readonly<Record<string, string>> = {
  heartbeat: "heartbeat",
  transaction: "transaction",
  truncate: "truncate",
  message: "logical-message",
  schemaChange: "schema-change",
};

const decodeVector = (vector: Vector): Decoded => {
  const { key, value, headers } = bytesOf(vector);
  return decoderOf(formatOf(vector), vector.schemas)(aRecord(value, key, headers));
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

/** An ordinary row in a topic of its own, which the configuration leaves out. */
const SIGNAL = "pg-signal-table-event";

const vectorOf = (name: string): Vector => {
  const vector = VECTORS.find((one) => one.name === name);
  if (vector === undefined) throw new Error(`there is no vector ${name}`);
  return vector;
};

describe("vectors", () => {
  for (const vector of VECTORS.filter(({ name }) => name !== SIGNAL))
    test(vector.name, () => check(decodeVector(vector), vector.expect));

  test(SIGNAL, () => {
    const { topic, keyJson, valueJson } = vectorOf(SIGNAL);
    const record = aRecord(valueJson, keyJson);
    const decoder = createDecoder(new Map([["erp.sales.customers", { format: "debezium-json" }]]), { schemas: null });
    const decoded = decoder.decode({ ...record, position: { ...record.position, topic } });
    expect(decoded).toEqual({ status: "skip", reason: "no-route" });
  });

  test("are 108", () => expect(VECTORS).toHaveLength(108));
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
