/** The broker dies or freezes and comes back: the replicas wait for it, go on by themselves, and lose and repeat nothing. */
import { expect, test } from "vitest";
import { startKafka } from "../../src/demo/services/kafka.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { CLEAN, check, repeated, writesOf } from "../support/checker.ts";
import { guard, until } from "../support/until.ts";
import { SESSION_MS, World } from "../support/world.ts";

test("kill -9 of the broker under load, and its return: nothing lost, nothing repeated, no replica ends", async () => {
  await using kafka = await startKafka();
  const faults = [{ times: null, match: { method: "POST" }, replyDelayMs: 300 }];
  await using world = await World.create({ kafka: kafka.address, sandbox: { faults } });
  const replicas = await world.startAll(["a", "b"]);
  await world.writeOrders(1, 60);
  for (const version of [1, 2, 3]) await world.writeCustomers(1, 300, version);
  await until(() => replicas.every((replica) => world.onTheWire(replica).length > 0), "both have calls on the wire");
  guard((await world.lag()) > 300n, "the work was nearly done");
  await kafka.kill("SIGKILL");
  const sent = world.sandbox.log().length;
  await kafka.start();
  await world.drained();
  expect(replicas.map(({ exitedBadly }) => exitedBadly)).toEqual([false, false]);
  const ledgers = await world.ledgers();
  expect(check(ledgers)).toEqual(CLEAN);
  expect(repeated(ledgers)).toBe(0);
  guard(ledgers.requests.length > sent, "nothing was left to send");
});

test("a frozen broker: nothing is sent once the session may be over, since the partitions may belong to others", async () => {
  await using kafka = await startKafka();
  await using world = await World.create({ kafka: kafka.address, config: { batch: { maxItems: 2 } } });
  const replicas = await world.startAll(["a", "b"]);
  await world.writeCustomers(1, 300);
  await until(() => replicas.every(({ name }) => writesOf(world.sandbox.log(), name).length > 0), "both have sent");
  await kafka.kill("SIGSTOP");
  const frozenMs = systemClock.monotonicMs();
  await until(() => systemClock.monotonicMs() > frozenMs + SESSION_MS + 3_000, "well beyond the session");
  const thawedMs = systemClock.monotonicMs();
  guard(world.accepted("accounts") < 290, "there was nothing left to send");
  await kafka.kill("SIGCONT");
  await world.drained();
  const ledgers = await world.ledgers();
  expect(check(ledgers)).toEqual(CLEAN);
  expect(repeated(ledgers)).toBe(0);
  const after = ({ atMs }: { readonly atMs: number }): boolean => atMs > frozenMs + SESSION_MS && atMs < thawedMs;
  expect(ledgers.requests.filter(after)).toEqual([]);
  guard(
    ledgers.requests.some(({ atMs }) => atMs > frozenMs + 2_000 && atMs < thawedMs),
    "they stopped for another reason",
  );
});
