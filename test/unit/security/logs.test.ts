/** What is logged and counted, whatever servers and producers write: S01, S03, S16, S21. */
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createDecoder } from "../../../src/decode/decoder.ts";
import type { Hints } from "../../../src/decode/plan.ts";
import type { Events } from "../../../src/telemetry/events.ts";
import { createLogger } from "../../../src/telemetry/logger.ts";
import { createRegistry } from "../../../src/telemetry/metrics.ts";
import { observe } from "../../../src/telemetry/observe.ts";
import { CANARIES, disguises, leaksIn } from "../../support/canaries.ts";
import { aRecord, TOPIC } from "../decode/support.ts";

const HOSTILE = "a\nb\r\u001b[31mc\u0007\u202ed\u200be\u2028f";
const SECRETS = Object.values(CANARIES);

const anObserver = () => {
  const lines: string[] = [];
  const logger = createLogger({ level: "debug", fields: {} }, { write: (line: string) => void lines.push(line) });
  const registry = createRegistry("erp", "1.2.3");
  return { lines, registry, emit: observe({ logger, registry, secrets: SECRETS }) };
};

/** Every event with its fields, read from their declaration; texts hold what `text` is. */
const everyEvent = (text: string): readonly (readonly [name: keyof Events, fields: object])[] => {
  const source = readFileSync(new URL("../../../src/telemetry/events.ts", import.meta.url), "utf8");
  const declared = source.slice(source.indexOf("export interface Events {"), source.indexOf("export type Emit"));
  const incident = "atMs: number; hintMs: number; source: string; windows: []; foreign: number";
  const refusal = "reason: string; command: string; needs: string";
  return [...declared.matchAll(/^ {2}"?([a-z-]+)"?: (.*);$/gm)].map(([, name = "", type = ""]) => {
    const fields = [
      ...`${type} ${type === "Incident" ? incident : ""}${type.includes("RedisRefusal") ? refusal : ""}`.matchAll(
        /(\w+): ([^;}]+)/g,
      ),
    ].map(([, field = "", kind = ""]) => [field, valueOf(kind.trim(), text)] as const);
    return [name as keyof Events, Object.fromEntries(fields)];
  });
};

const valueOf = (kind: string, text: string): unknown => {
  if (kind === "number") return 7;
  if (kind === "boolean") return true;
  return kind === "[]" || kind.startsWith("{") ? [] : text;
};

test("every event is known here", () => {
  const events = everyEvent("x");
  expect(events.length).toBeGreaterThan(40);
  expect(events.filter(([name, fields]) => name !== "committed" && Object.keys(fields).length === 0)).toEqual([]);
});

test("a server that quotes our secrets has none of them logged, in whatever event and disguise", () => {
  const { emit, lines } = anObserver();
  const quoted = SECRETS.flatMap((secret) => disguises(secret).slice(0, 4)).join(" ");
  for (const [name, fields] of everyEvent(quoted)) emit(name, fields as Events[typeof name]);
  expect(lines.length).toBeGreaterThan(25);
  expect(leaksIn(lines.join(""))).toEqual([]);
});

test("whatever text comes from outside, an event is one line of JSON without control, colour or direction", () => {
  const { emit, lines } = anObserver();
  for (const [name, fields] of everyEvent(HOSTILE)) emit(name, fields as Events[typeof name]);
  for (const line of lines) {
    expect(() => JSON.parse(line)).not.toThrow();
    const said = Object.values(JSON.parse(line) as object).join("");
    for (const unprintable of "\n\r\u001b\u0007\u202e\u200b\u2028") expect(said).not.toContain(unprintable);
    expect(line.indexOf("\n")).toBe(line.length - 1);
  }
});

describe("what cannot be decoded is told without what is in it", () => {
  const PERSON = "Erika-Mustermann-0815";

  test.each<readonly [string, string, Hints]>([
    ["a number", JSON.stringify({ id: 1, a: PERSON }), { a: "decimal(2)" }],
    ["a whole number", JSON.stringify({ id: 1, a: PERSON }), { a: "int64" }],
    ["a date", JSON.stringify({ id: 1, a: PERSON }), { a: "date" }],
    ["a time stamp", JSON.stringify({ id: 1, a: PERSON }), { a: "microTimestamp" }],
    ["bits", JSON.stringify({ id: 1, a: PERSON }), { a: "bits(3)" }],
    ["bytes", JSON.stringify({ id: 1, a: `${PERSON} !` }), { a: "bytes" }],
    ["JSON", `{"id": 1, "a": "${PERSON}"`, {}],
    ["text", PERSON, {}],
  ])("as %s", async (_, value, hints) => {
    const decoder = createDecoder(new Map([[TOPIC, { format: "json" as const, hints }]]), { schemas: null });
    const decoded = await decoder.decode(aRecord(value, JSON.stringify({ id: PERSON })));
    expect(
      JSON.stringify(decoded, (_key, part: unknown) => (typeof part === "bigint" ? String(part) : part)),
    ).not.toContain(PERSON);
    expect(decoded.status).toBe("errant");
  });

  test("nor in any of the formats, whatever the bytes", async () => {
    const formats = [
      "debezium-json",
      "json",
      "maxwell",
      "canal",
      "goldengate",
      "qlik",
      "dms",
      "outbox",
      "mongodb",
    ] as const;
    const bytes = fc
      .tuple(fc.json(), fc.nat(400))
      .map(([json, at]) => `${json.slice(0, at)}"${PERSON}"${json.slice(at)}`);
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...formats), bytes, async (format, value) => {
        const decoder = createDecoder(new Map([[TOPIC, { format, table: "a.b", keyColumns: ["id"] }]]), {
          schemas: null,
        });
        const decoded = await decoder.decode(aRecord(value, JSON.stringify({ id: PERSON })));
        if (decoded.status === "errant") expect(decoded.errant.message).not.toContain(PERSON);
      }),
      { numRuns: 300 },
    );
  });
});

test("thousands of keys, positions and addresses make no series", async () => {
  const { emit, registry } = anObserver();
  const burst = (from: number): void => {
    for (let at = from; at < from + 3_000; at++) {
      emit("dead-lettered", { topic: "a", position: `a[0]@${at}`, reason: "bad-value", message: `key ${at}` });
      emit("record-isolated", {
        position: `a[0]@${at}`,
        entity: "deals",
        attempts: at,
        reason: "http-500",
        waitMs: at,
      });
      emit("record-stalled", {
        topic: "a",
        partition: at % 6,
        code: "SCHEMA_UNUSABLE",
        attempt: 2,
        cause: `schema ${at}`,
      });
      const names = { batchId: `b-${at}`, requestId: `r-${at}` };
      emit("request-done", { verb: "upsert", entity: "deals", items: 1, code: "200", tookMs: at, ...names });
      emit("delivered", { topic: "a", result: "created", latencyMs: at });
      emit("sell-unreachable", { cause: `https://host/${at}?mail=a${at}@example.com` });
    }
  };
  burst(0);
  const series = async (): Promise<number> =>
    (await registry.metrics()).split("\n").filter((line) => /^sell_sink_(?!nodejs|process)/.test(line)).length;
  const before = await series();
  burst(3_000);
  expect(await series()).toBe(before);
});
