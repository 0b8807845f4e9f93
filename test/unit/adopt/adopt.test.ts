/** Adoption against the simulator over HTTP: what happens between reading and writing, and when Sell falls silent. */
import { expect, test } from "vitest";
import { adopt, Tally } from "../../../src/adopt/adopt.ts";
import type { EntityId, Permit, Remembered } from "../../../src/domain/stages.ts";
import { type Clock, systemClock } from "../../../src/lib/clock.ts";
import { type Step, silentProgress } from "../../../src/lib/progress.ts";
import { anOpenTarget } from "../deliver/support.ts";
import { aSandbox, type Client } from "../sandbox/support.ts";

const never = new AbortController().signal;

const aCompany = async (client: Client, name: string): Promise<number> =>
  (await client.post("/v2/contacts", { data: { is_organization: true, name } })).json.data.id;

const keyOf = async (client: Client, id: number): Promise<unknown> =>
  (await client.get(`/v2/contacts/${id}`)).json.data.custom_fields?.erp_id ?? null;

interface Options {
  readonly bulk?: boolean;
  readonly indexLagMs?: number;
  /** Runs between comparing and writing. */
  readonly meanwhile?: () => Promise<unknown>;
}

/** The names are the keys. Waits take no time, and are noted. */
const adopting = async (client: Client, names: readonly string[], options: Options = {}) => {
  const { target } = await anOpenTarget({ baseUrl: client.sandbox.url, dialect: options.bulk ? "bulk" : "core" });
  const [tally, slept, remembered] = [new Tally(), [] as number[], new Map<string, Remembered>()];
  let permits = 0;
  const clock: Clock = { ...systemClock, sleep: async (ms) => void slept.push(ms) };
  const gate = {
    acquire: async (): Promise<Permit> => ({ lane: "backfill", grantedAtMs: (permits += 1) }),
    tell: async () => {},
    see: () => {},
  };
  const store = {
    remember: async (entries: readonly (readonly [EntityId, Remembered])[]) => {
      for (const [{ entity, key }, memory] of entries) remembered.set(`${entity} ${key}`, memory);
    },
  };
  const progress = {
    async step<T>(title: string, work: (step: Step) => Promise<T>): Promise<T> {
      if (title === "Keys") await options.meanwhile?.();
      return silentProgress.step(title, work);
    },
  };
  const before = client.sandbox.log().length;
  const { indexLagMs = 0 } = options;
  const deps = { crm: target, gate, store, clock, random: () => 0.5, progress, indexLagMs, isDry: false };
  const done = adopt(
    new Map(names.map((name) => [name, name])),
    ({ fields }) => String(fields["name"]),
    tally,
    { ...deps, entity: "accounts" },
    never,
  );
  const failure = await done.then(
    () => null,
    (error: Error) => error.message,
  );
  const calls = client.sandbox
    .log()
    .slice(before)
    .filter(({ instance }) => instance === "");
  return { tally, failure, slept, remembered, permits, calls };
};

test.each([true, false])(
  "a key that somebody writes meanwhile stays, and so does a record that is gone (bulk: %s)",
  async (bulk) => {
    const client = await aSandbox({ settings: { bulk } });
    const [a, b, c] = [await aCompany(client, "A"), await aCompany(client, "B"), await aCompany(client, "C")];
    const meanwhile = async () => {
      await client.put(`/v2/contacts/${a}`, { data: { custom_fields: { erp_id: "by hand" } } });
      await client.del(`/v2/contacts/${b}`);
    };
    const { tally, remembered } = await adopting(client, ["A", "B", "C"], { bulk, meanwhile });
    expect([tally.count("matched"), tally.count("written"), tally.count("failed")]).toEqual([3, 1, 2]);
    expect(tally.samples("failed").map(({ ids }) => ids[0])).toEqual([a, b]);
    expect([await keyOf(client, a), await keyOf(client, c)]).toEqual(["by hand", "C"]);
    expect([...remembered.keys()]).toEqual(["accounts C"]);
    expect(remembered.get("accounts C")).toMatchObject({ id: c, route: null, version: null, fingerprint: null });
  },
);

test("every call takes a permit; what is certain takes one call for 100 read, and in bulk two for 50 written", async () => {
  const client = await aSandbox();
  const names = Array.from({ length: 120 }, (_, i) => `Company ${i}`);
  for (const name of names) await aCompany(client, name);
  const { tally, permits, calls } = await adopting(client, names, { bulk: true });
  expect(tally.count("written")).toBe(120);
  expect([permits, calls.length]).toEqual([8, 8]);
});

test("it ends when Sell's search knows the keys", async () => {
  const client = await aSandbox();
  await aCompany(client, "A");
  expect((await adopting(client, ["A"], { indexLagMs: 1_500 })).slept).toEqual([1_500]);
});

test("an answer that is lost, or a server's fault, is asked for again", async () => {
  const client = await aSandbox();
  const id = await aCompany(client, "A");
  client.sandbox.script([
    { match: { method: "GET", path: "/v2/contacts" }, times: 2, reply: { status: 502 } },
    { match: { method: "PUT" }, times: 2, reply: { status: 500 } },
  ]);
  const { tally, failure } = await adopting(client, ["A"]);
  expect([failure, tally.count("written"), await keyOf(client, id)]).toEqual([null, 1, "A"]);
});

test("one record that Sell fails at each time costs only itself", async () => {
  const client = await aSandbox();
  const ids = [await aCompany(client, "A"), await aCompany(client, "B"), await aCompany(client, "C")];
  client.sandbox.script([
    { match: { method: "PUT", path: `/v2/contacts/${ids[1]}` }, times: null, reply: { status: 500 } },
  ]);
  const { tally, failure } = await adopting(client, ["A", "B", "C"]);
  expect([failure, tally.count("written"), tally.count("failed")]).toEqual([null, 2, 1]);
  expect(tally.samples("failed")).toEqual([{ key: "B", ids: [ids[1]], message: "http-500" }]);
});

test("a Sell that stays away ends it, with what was written told", async () => {
  const client = await aSandbox();
  const names = Array.from({ length: 60 }, (_, i) => `Company ${i}`);
  for (const name of names) await aCompany(client, name);
  client.sandbox.script([
    { match: { method: "PUT" }, times: 30 },
    { match: { method: "PUT" }, times: null, reply: { status: 500 } },
  ]);
  const { tally, failure } = await adopting(client, names);
  expect(failure).toBe("Sell does not answer as it should (http-500).");
  expect(tally.count("written")).toBe(30);
});

test("a record that Sell refuses is told with Sell's reason, its neighbours are written", async () => {
  const client = await aSandbox();
  for (const name of ["A", "B", "C"]) await aCompany(client, name);
  client.sandbox.script([
    { match: { method: "POST" }, times: null, items: { keys: ["B"], status: 422, code: "invalid" } },
  ]);
  const { tally, failure } = await adopting(client, ["A", "B", "C"], { bulk: true });
  expect([failure, tally.count("written"), tally.count("failed")]).toEqual([null, 2, 1]);
  expect(tally.samples("failed")[0]?.message).toContain("invalid");
});

test("a refused token stops it at once", async () => {
  const client = await aSandbox();
  await aCompany(client, "A");
  client.sandbox.script([{ match: { method: "PUT" }, times: null, reply: { status: 401 } }]);
  const { failure, slept } = await adopting(client, ["A"]);
  expect(failure).toContain("Sell refused the access token of sell.token (HTTP 401)");
  expect(slept).toEqual([]);
});
