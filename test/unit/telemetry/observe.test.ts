import { expect, test } from "vitest";
import { createLogger } from "../../../src/telemetry/logger.ts";
import { createRegistry } from "../../../src/telemetry/metrics.ts";
import { observe } from "../../../src/telemetry/observe.ts";

const anObserver = () => {
  const lines: Record<string, unknown>[] = [];
  const logger = createLogger(
    { level: "info", fields: { version: "1" } },
    { write: (line: string) => void lines.push(JSON.parse(line)) },
  );
  const registry = createRegistry("erp", "1.2.3");
  const emit = observe({ logger, registry });
  const series = async (start: string): Promise<string[]> =>
    (await registry.metrics()).split("\n").filter((line) => line.startsWith(start));
  return { emit, lines, series };
};

test("a delivery is counted with its latency and logs nothing", async () => {
  const { emit, lines, series } = anObserver();
  emit("delivered", { topic: "orders", result: "created", latencyMs: 400 });
  expect(await series('sell_sink_records_delivered_total{operation="created"')).toEqual([
    'sell_sink_records_delivered_total{operation="created",consumergroup="erp"} 1',
  ]);
  expect(await series("sell_sink_delivery_latency_seconds_sum")).toEqual([
    'sell_sink_delivery_latency_seconds_sum{topic="orders",operation="created",consumergroup="erp"} 0.4',
  ]);
  expect(lines).toEqual([]);
});

test("a request is counted by code and timed by class, and apart from that what the quota refused", async () => {
  const { emit, series } = anObserver();
  const what = { batchId: "7x-1", requestId: null, verb: "upsert", entity: "deals", items: 50 } as const;
  emit("request-done", { ...what, code: "429", tookMs: 80 });
  emit("request-done", { ...what, code: "timeout", tookMs: 6_000 });
  emit("throttled", { source: "body" });
  const requests = await series('sell_sink_requests_total{operation="upsert"');
  expect(requests).toContain('sell_sink_requests_total{operation="upsert",code="429",consumergroup="erp"} 1');
  expect(requests).toContain('sell_sink_requests_total{operation="upsert",code="timeout",consumergroup="erp"} 1');
  expect(await series("sell_sink_request_duration_seconds_count")).toEqual([
    'sell_sink_request_duration_seconds_count{consumergroup="erp",operation="upsert",code="4xx"} 1',
    'sell_sink_request_duration_seconds_count{consumergroup="erp",operation="upsert",code="timeout"} 1',
  ]);
  expect(await series("sell_sink_throttled_responses_total")).toEqual([
    'sell_sink_throttled_responses_total{quota="sell",consumergroup="erp"} 1',
  ]);
});

test("every try to read a record that has to wait is counted, and few of them are said", async () => {
  const { emit, lines, series } = anObserver();
  for (let attempt = 1; attempt <= 20; attempt++)
    emit("record-stalled", { topic: "a", partition: 0, code: "REGISTRY_REFUSED", attempt, cause: "status 403" });
  expect(await series("sell_sink_decode_stalls_total")).toEqual([
    'sell_sink_decode_stalls_total{topic="a",code="REGISTRY_REFUSED",consumergroup="erp"} 20',
  ]);
  expect(lines).toHaveLength(1);
});

test.each([
  ["our own calls", [{ limit: 200, perMs: 60_000, used: 199 }], "own"],
  ["calls of others", [{ limit: 200, perMs: 60_000, used: 120 }], "others"],
  ["no limit", [], "unlimited"],
])(
  "a refusal is said once with its wait, our calls and the limit in force, and counted by cause: %s",
  async (_, windows, cause) => {
    const { emit, lines, series } = anObserver();
    emit("quota-incident", { atMs: 0, hintMs: 3_600_000, source: "body", windows, foreign: 12 });
    expect(lines).toMatchObject([{ level: "warn", event: "quota-incident", hintMs: 3_600_000, foreign: 12, windows }]);
    expect(lines[0]?.["msg"]).toMatch(/429, a wait of 3600 s told.* others spent about 12/);
    const counted = await series("sell_sink_quota_incidents_total");
    expect(counted.filter((line) => line.endsWith(" 1"))).toEqual([expect.stringContaining(`cause="${cause}"`)]);
  },
);

test("counters that alerts watch exist at 0 before anything happened", async () => {
  const { series } = anObserver();
  expect(await series("sell_sink_throttled_responses_total")).toHaveLength(1);
  expect(await series('sell_sink_requests_total{operation="upsert",code="401"')).toHaveLength(1);
  expect((await series("sell_sink_records_dead_lettered_total")).length).toBeGreaterThan(0);
  expect(await series("sell_sink_rebalances_total")).toEqual(['sell_sink_rebalances_total{consumergroup="erp"} 0']);
});

test("what stops a topic exists at 0 for each topic that is read; a dead letter that Kafka refuses is counted", async () => {
  const { emit, series } = anObserver();
  emit("subscribed", { topics: ["orders"] });
  expect(await series("sell_sink_mass_failures_total")).toEqual([
    'sell_sink_mass_failures_total{topic="orders",consumergroup="erp"} 0',
  ]);
  expect(await series("sell_sink_brakes_total")).toEqual([
    'sell_sink_brakes_total{topic="orders",kind="deletions",consumergroup="erp"} 0',
    'sell_sink_brakes_total{topic="orders",kind="creations",consumergroup="erp"} 0',
  ]);
  emit("dead-letter-failed", { topic: "letters", cause: "down" });
  expect(await series("sell_sink_dead_letter_failures_total")).toEqual([
    'sell_sink_dead_letter_failures_total{consumergroup="erp"} 1',
  ]);
});

test("every own series carries the group, the prefix and a help text", async () => {
  const { series } = anObserver();
  const all = await series("");
  for (const line of all.filter((text) => text !== "" && !text.startsWith("#"))) {
    expect(line).toMatch(/^sell_sink_/);
    expect(line).toContain('consumergroup="erp"');
  }
  expect(all.filter((line) => /^# HELP \S+\s*$/.test(line))).toEqual([]);
  expect(all).toContain('sell_sink_build_info{version="1.2.3",consumergroup="erp"} 1');
});

test.each([
  ["info", "joined", { memberId: "m", lost: 0, kept: 1, gained: 2, tookMs: 300 }],
  ["warn", "redis-unreachable", { address: "redis:6379", cause: "ECONNREFUSED", sends: "nothing" }],
  ["warn", "kafka-crashed", { cause: "x", restart: true }],
  ["error", "kafka-crashed", { cause: "x", restart: false }],
  [
    "warn",
    "record-stalled",
    { topic: "a", partition: 1, code: "REGISTRY_UNREACHABLE", attempt: 1, cause: "no answer" },
  ],
  [
    "error",
    "record-stalled",
    { topic: "a", partition: 1, code: "SCHEMA_OF_OTHER_KIND", attempt: 21, cause: "Protobuf" },
  ],
  ["error", "halted", { kind: "auth", message: "Sell refuses the token." }],
] as const)("%s is the level of %s", (level, name, fields) => {
  const { emit, lines } = anObserver();
  emit(name, fields as never);
  expect(lines).toMatchObject([{ level, event: name, version: "1", ...fields }]);
});

test("text from outside cannot forge a line, a colour or the reading order", () => {
  const { emit, lines } = anObserver();
  emit("commit-refused", { cause: "bad\n\u001b[31mred\u202e" });
  expect(lines[0]).toMatchObject({
    cause: "bad\\u{a}\\u{1b}[31mred\\u{202e}",
    msg: "Kafka refused a commit (bad\\u{a}\\u{1b}[31mred\\u{202e}); it comes again.",
  });
});
