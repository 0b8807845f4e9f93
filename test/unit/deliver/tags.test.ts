/** Tags that people and the connector share, against the simulator of Sell. */
import { describe, expect, onTestFinished, test } from "vitest";
import type { Fields } from "../../../src/domain/mutation.ts";
import type { Outcome, Write } from "../../../src/domain/receipt.ts";
import { systemClock } from "../../../src/lib/clock.ts";
import { startSandbox } from "../../../src/sandbox/index.ts";
import { anOpenTarget, aSell, aWrite, bulkItems, json, never } from "./support.ts";

const ours = ($tags: readonly string[], $own: readonly string[] = ["gold", "silver"]): Fields => ({
  name: "Nordlicht",
  tags: { $tags, $own, $prefix: "erp-" },
});

const anAccount = async (dialect: "bulk" | "core") => {
  const sandbox = await startSandbox(
    { rate: { profile: "none" }, settings: { indexLagMs: 0, bulk: dialect === "bulk" } },
    { clock: systemClock, random: () => 0.5 },
  );
  onTestFinished(() => sandbox.close());
  const { target } = await anOpenTarget({ baseUrl: sandbox.url });
  const send = async (...writes: readonly Partial<Write>[]): Promise<readonly Outcome[]> => {
    for (;;) {
      const { outcomes } = await target.send({ entity: "accounts", verb: "upsert", writes: writes.map(aWrite) }, never);
      if (outcomes.every(({ status }) => status !== "progress")) return outcomes;
    }
  };
  const tags = () => [...sandbox.state("contacts")].map(({ data }) => data["tags"]);
  const people = async (tagged: readonly string[]) => {
    const [record] = sandbox.state("contacts");
    const headers = { Authorization: "Bearer t", Accept: "application/json", "Content-Type": "application/json" };
    const body = JSON.stringify({ data: { tags: tagged } });
    await fetch(`${sandbox.url}/v2/contacts/${record?.data["id"]}`, { method: "PUT", headers, body });
  };
  const writes = () => sandbox.log().filter(({ items }) => items > 0).length;
  return { sandbox, send, tags, people, writes };
};

describe.each(["bulk", "core"] as const)("in the %s dialect", (dialect) => {
  test("what people added stays, and of the connector's own only what is meant", async () => {
    const { send, tags, people } = await anAccount(dialect);
    expect(await send({ body: ours(["gold", "erp-new"]) })).toMatchObject([{ result: "created" }]);
    expect(tags()).toEqual([["gold", "erp-new"]]);
    await people(["vip", "gold", "erp-new", "call back"]);
    expect(await send({ body: ours(["silver"]) })).toMatchObject([{ result: "updated" }]);
    expect(tags()).toEqual([["vip", "call back", "silver"]]);
  });

  test("a record whose tags are right is written once", async () => {
    const { send, people, writes } = await anAccount(dialect);
    await send({ body: ours(["gold"]) });
    await people(["gold", "vip"]);
    const before = writes();
    await send({ body: { ...ours(["gold"]), description: "new" } });
    expect(writes() - before).toBe(1);
  });
});

test("in bulk the tags of many records take two requests", async () => {
  const { send, tags, writes } = await anAccount("bulk");
  await send(...["1", "2", "3"].map((key) => ({ key, body: ours(["gold"]) })));
  expect(tags()).toEqual([["gold"], ["gold"], ["gold"]]);
  expect(writes()).toBe(2);
});

test("a record that was created is tagged when searches find it, and counts as created", async () => {
  const { sandbox } = await anAccount("bulk");
  const { target } = await anOpenTarget({ baseUrl: sandbox.url });
  const batch = { entity: "accounts", verb: "upsert", writes: [aWrite({ body: ours(["gold"]) })] } as const;
  expect((await target.send(batch, never)).outcomes).toMatchObject([{ status: "progress", created: true }]);
  expect((await target.send(batch, never)).outcomes).toMatchObject([{ status: "accepted", result: "created" }]);
});

test("where the reply leaves the tags out they are asked for, never overwritten blindly", async () => {
  const bodies: Fields[] = [];
  const sell = await aSell(({ method, url, body }, response) => {
    if (method === "GET") return json(response, 200, { data: { id: 5, tags: ["vip", "silver"] } });
    expect(url).toBe("/api/v2/bulk/accounts");
    const [item] = JSON.parse(body).items;
    bodies.push(item.data);
    json(response, 200, {
      items: [{ data: { id: 5 }, meta: { ...item.meta, index: 0, status: 200, result: "updated" } }],
    });
  });
  const { target } = await anOpenTarget({ baseUrl: sell.url });
  const batch = { entity: "accounts", verb: "upsert", writes: [aWrite({ body: ours(["gold"]) })] } as const;
  const seen: Outcome[] = [];
  for (let step = 0; step < 3; step++) seen.push(...(await target.send(batch, never)).outcomes);
  expect(seen).toMatchObject([{ status: "progress", alone: true }, { status: "progress" }, { result: "updated" }]);
  expect(bodies.map(({ tags }) => tags)).toEqual([undefined, ["vip", "gold"]]);
});

test("tags of another record than the asked one are never taken for ours", async () => {
  const sell = await aSell(({ method, body }, response) => {
    if (method === "GET") return json(response, 200, { data: { id: 999, tags: ["vip"] } });
    const items = bulkItems(body).map(({ data, meta }) => ({ data: { id: data["id"] }, meta }));
    json(response, 200, { items });
  });
  const { target } = await anOpenTarget({ baseUrl: sell.url });
  const batch = { entity: "accounts", verb: "upsert", writes: [aWrite({ body: ours(["gold"]) })] } as const;
  expect((await target.send(batch, never)).outcomes).toMatchObject([{ status: "progress" }]);
  expect((await target.send(batch, never)).outcomes).toEqual([{ status: "retriable", reason: "id-mismatch" }]);
});
