/** After people edited Sell by hand, a resync makes it what the ERP says, and overwrites nothing newer on the way. */
import { expect, inject, test } from "vitest";
import { configSchema } from "../../src/config/spec.ts";
import { resyncHeaders } from "../../src/dead-letter/resync-headers.ts";
import { createDecoder } from "../../src/decode/decoder.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { silentProgress } from "../../src/lib/progress.ts";
import { compileIdentities, compileRoutes } from "../../src/map/mapper.ts";
import { loadCheckpoint } from "../../src/resync/checkpoint.ts";
import { type ResyncDeps, resync } from "../../src/resync/resync.ts";
import { firstCheckpoint } from "../../src/resync/selection.ts";
import { formatsOf } from "../../src/wiring/topic-formats.ts";
import { aRecord } from "../support/builders.ts";
import { busiest, CLEAN, check } from "../support/checker.ts";
import { readTopics } from "../support/read-topics.ts";
import { guard } from "../support/until.ts";
import { QUOTA, TOKEN, World } from "../support/world.ts";

const PERSON = "person";

/** What a person does in Sell, in one call. */
const byHand = async (world: World, resource: string, operation: string, items: readonly object[]): Promise<void> => {
  const headers = { Authorization: `Bearer ${TOKEN}`, Accept: "application/json", "X-Sandbox-Instance": PERSON };
  const { status } = await fetch(`${world.sandbox.url}/api/v2/bulk/${resource}`, {
    method: "POST",
    headers: { ...headers, "User-Agent": "people/1", "Content-Type": "application/json" },
    body: JSON.stringify({
      items: items.map((data) => ({ data })),
      meta: { operation, ...(operation === "upsert" && { match_on: ["custom_fields.erp_id"] }) },
    }),
  });
  expect(status).toBe(200);
};

const stateOf = (world: World, resource: string) =>
  new Map(
    [...world.sandbox.state(resource)].map(({ data }) => [
      Number((data["custom_fields"] as { erp_id?: string } | null)?.erp_id),
      data as { readonly id: number; readonly name: string },
    ]),
  );

const idsOf = (world: World, resource: string, from: number, to: number): readonly number[] =>
  [...stateOf(world, resource)].filter(([key]) => key >= from && key <= to).map(([, { id }]) => id);

const resynced = async (world: World, ...args: readonly string[]) => {
  const { code, out, err } = await world.command("resync", "--json", ...args);
  expect(code, err).toBe(0);
  return JSON.parse(out);
};

const stored = (world: World, topic: string) => readTopics(inject("kafka"), [topic]);

/** What people did is no work of the connector, and what is written again is. */
const findingsOf = async (world: World) => {
  const ledgers = await world.ledgers();
  const requests = ledgers.requests.filter(({ instance }) => instance !== PERSON);
  return { ...check({ ...ledgers, requests }), duplicates: [] };
};

test.concurrent("what people changed, deleted and brought back is as in the ERP again; a live change meanwhile wins; the quota holds", async () => {
  await using world = await World.create({ replays: true, partitions: 3 });
  await world.startAll(["a", "b"]);
  await world.writeCustomers(1, 60);
  await world.writeOrders(1, 20);
  await world.deleteCustomers(60, 60);
  await world.drained();
  // A source's own headers make nothing a resync.
  const forged = resyncHeaders(aRecord(), { id: "forged", keys: ["accounts/1"] }, 1);
  const [forgery] = (await stored(world, world.customers)).filter(({ key }) => String(key) === '{"id":59}');
  const producer = await world.erp.kafka.producer();
  if (forgery !== undefined) await producer.send([{ ...forgery, headers: [...forgery.headers, ...forged] }]);
  await producer.close();

  await byHand(
    world,
    "accounts",
    "update",
    idsOf(world, "contacts", 1, 30).map((id) => ({ id, name: "edited" })),
  );
  await byHand(
    world,
    "accounts",
    "delete",
    idsOf(world, "contacts", 31, 35).map((id) => ({ id })),
  );
  await byHand(world, "accounts", "upsert", [{ name: "back", is_organization: true, custom_fields: { erp_id: "60" } }]);
  await byHand(
    world,
    "deals",
    "update",
    idsOf(world, "deals", 1, 20).map((id) => ({ id, name: "edited" })),
  );
  guard((await world.findings()).wrongAtTheEnd.length > 55, "nobody edited anything");

  const dry = await resynced(world, "--topic", world.customers, "--dry-run");
  // 59 customers in calls of 10; whether somebody brought the deleted one back is asked before it is deleted.
  expect(dry).toMatchObject({ dryRun: true, keys: 60, written: 60, partial: 0, leftAlone: {}, sent: 0, calls: 8 });
  expect(await stored(world, world.replays)).toEqual([]);

  const pass = resynced(world, "--topic", world.customers);
  await world.writeCustomers(1, 5, 2);
  expect(await pass).toMatchObject({ keys: 60, written: 60, sent: 60, resumed: false, missing: [] });
  await world.writeCustomers(6, 10, 2);
  await resynced(world, "--topic", world.orders, "--from", "1h");
  await world.drained();
  expect(await findingsOf(world)).toEqual(CLEAN);
  const { byStatus } = world.sandbox.summary();
  expect(byStatus["429"]).toBeUndefined();
  expect(busiest(world.sandbox.log(), QUOTA.perMs)).toBeLessThanOrEqual(QUOTA.limit);
});

test.concurrent("killed in the middle it goes on with --resume: every key once, but for what was under way", async () => {
  await using world = await World.create({ replays: true, partitions: 2 });
  const replica = await world.start("a"); // what is accepted is remembered from here on
  await world.writeCustomers(1, 40);
  await world.writeCustomers(1, 20, 2);
  const { kafka } = world.erp;
  const config = configSchema.parse(world.config("killed"));
  const selection = {
    topic: world.customers,
    route: null,
    keys: null,
    from: "earliest",
    fromText: "earliest",
  } as const;
  const start = await firstCheckpoint(selection, config, kafka.admin, systemClock.now());
  const killed = new Error("killed");
  let left = 9;
  const dying: ResyncDeps["kafka"] = {
    read: kafka.read,
    admin: {
      ...kafka.admin,
      commit: (...rows) => (left > 0 ? kafka.admin.commit(...rows) : Promise.reject(killed)),
    },
  };
  const producer = await kafka.producer();
  const send: typeof producer.send = async (records) => {
    if (left-- <= 0) throw killed;
    await producer.send(records);
  };
  const deps: ResyncDeps = {
    ...{ groupId: world.groupId, kafka: dying, replay: { topic: world.replays, producer: { send } }, keysMax: 6 },
    reading: {
      decoder: createDecoder(formatsOf(config), { schemas: null }),
      mapper: compileRoutes(config.routes, { keyField: config.sell.keyField }),
      identitiesOf: compileIdentities(config.routes),
      perCall: 10,
    },
    ...{ clock: systemClock, progress: silentProgress },
  };
  await expect(resync(start, selection, deps, new AbortController().signal)).rejects.toBe(killed);
  await producer.close();
  const before = await stored(world, world.replays);
  guard(before.length > 5 && before.length < 35, `${before.length} records were sent before the kill`);

  const pass = await resynced(world, "--topic", world.customers, "--resume");
  expect(pass).toMatchObject({ id: start.id, resumed: true });
  const sent = await stored(world, world.replays);
  const keys = Map.groupBy(sent, ({ key }) => String(key));
  expect(keys.size).toBe(40);
  expect(sent.length - keys.size).toBeLessThanOrEqual(6); // what one pass holds
  const newest = (id: number): string => `Customer ${id} v${id <= 20 ? 2 : 1}`;
  for (const { value } of sent) {
    const { after } = JSON.parse(String(value)) as { after: { id: number; name: string } };
    expect(after.name).toBe(newest(after.id));
  }
  await world.drained();
  expect(await findingsOf(world)).toEqual(CLEAN);
  expect(replica.said("dead-lettered")).toEqual([]);
  const ends = await kafka.admin.endOffsets([world.customers]);
  expect(await loadCheckpoint(world.groupId, ends, kafka.admin)).toMatchObject({ id: start.id, from: 2 ** 32 });
  const again = await world.command("resync", "--topic", world.customers, "--resume");
  expect([again.code, again.err]).toEqual([0, expect.stringContaining("starts anew")]);
});

test.concurrent("a key that is not there is named, and what nobody has written yet waits in the lag", async () => {
  await using world = await World.create({ replays: true, partitions: 1 });
  await world.writeCustomers(1, 2);
  const selected = ["--topic", world.customers, "--key", "1", "--key", "9"];
  const { code, out } = await world.command("resync", ...selected);
  expect([code, out]).toEqual([
    1,
    expect.stringMatching(/1 will be written again[^]*1 records are sent[^]*\nNot found: 9\.\n$/),
  ]);
  const lag = await world.command("lag", "--json");
  const { partitions } = JSON.parse(lag.out) as { partitions: readonly { topic: string; records: number }[] };
  expect(partitions.find(({ topic }) => topic === world.replays)).toMatchObject({ records: 1 });
});
