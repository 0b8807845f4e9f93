import { expect, test } from "vitest";
import { callsOf } from "../../../src/telemetry/calls.ts";
import { createLogger } from "../../../src/telemetry/logger.ts";
import { createRegistry } from "../../../src/telemetry/metrics.ts";
import { observe } from "../../../src/telemetry/observe.ts";

const aProcess = () => {
  const registry = createRegistry("erp", "1");
  return { registry, emit: observe({ logger: createLogger({ level: "silent", fields: {} }), registry }) };
};

test("calls are told as the metrics have them", async () => {
  const { registry, emit } = aProcess();
  emit("batch-closed", { reason: "count", verb: "upsert", items: 50, changes: 80 });
  emit("batch-closed", { reason: "age", verb: "upsert", items: 4, changes: 4 });
  for (const lane of ["live", "live", "backfill"] as const) emit("permit-granted", { lane, by: "redis", waitedMs: 5 });
  emit("permit-unused", { lane: "backfill" });
  emit("throttled", { source: "body" });
  expect(await callsOf(registry)).toEqual({
    batches: { count: 1, age: 1, retry: 0 },
    ...{ items: 54, changes: 84, permits: 3, unusedPermits: 1, throttled: 1, answered: null },
  });
});

test("half of the answers, and nearly all, are told by the bound they stay below", async () => {
  const { registry, emit } = aProcess();
  for (let call = 0; call < 1_000; call++) emit("permit-used", { lane: "live", answeredMs: call < 600 ? 70 : 150 });
  expect((await callsOf(registry)).answered).toEqual({ halfMs: 100, nearlyAllMs: 200 });
  for (let call = 0; call < 9; call++) emit("permit-used", { lane: "live", answeredMs: 60_000 });
  expect((await callsOf(registry)).answered).toEqual({ halfMs: 100, nearlyAllMs: 6_000 });
});

test("a registry without these metrics tells of no calls", async () => {
  expect(await callsOf(createRegistry("erp", "1"))).toMatchObject({ batches: {}, items: 0, answered: null });
});
