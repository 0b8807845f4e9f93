/** `adopt` on real Kafka and Redis, against a Sell in which people have worked for years. */
import { randomUUID } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { systemClock } from "../../src/lib/clock.ts";
import { type Sandbox, type SandboxOptions, startSandbox } from "../../src/sandbox/index.ts";
import { Erp, type ErpRow } from "../support/erp.ts";
import { runCli } from "../support/run-cli.ts";
import { guard, until } from "../support/until.ts";
import { TOKEN, World } from "../support/world.ts";

let erp: Erp;
let folder: string;

beforeAll(async () => {
  erp = await Erp.connect(inject("kafka"));
  folder = await mkdtemp(join(tmpdir(), "sell-sink-adopt-"));
});

afterAll(async () => {
  await erp[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

const aSell = (options: SandboxOptions = {}): Promise<Sandbox> =>
  startSandbox(
    { rate: { profile: "none" }, ...options, settings: { indexLagMs: 0, ...options.settings } },
    { clock: systemClock, random: Math.random },
  );

/** Somebody writes a record by hand; resolves with its id. */
const byHand = async ({ url }: Sandbox, path: string, data: object, method = "POST"): Promise<number> => {
  const headers = {
    Authorization: `Bearer ${TOKEN}`,
    "User-Agent": "people/1",
    Accept: "application/json",
    "Content-Type": "application/json",
  };
  const reply = await fetch(`${url}/v2/${path}`, { method, headers, body: JSON.stringify({ data }) });
  expect(reply.status).toBe(200);
  return ((await reply.json()) as { data: { id: number } }).data.id;
};

const aCompany = (sell: Sandbox, name: string, fields: object = {}) =>
  byHand(sell, "contacts", { is_organization: true, name, ...fields });

const keyed = (key: string) => ({ custom_fields: { erp_id: key } });

const keyOf = (sell: Sandbox, id: number): unknown => {
  const record = [...sell.state()].find(({ data }) => data["id"] === id);
  return (record?.data["custom_fields"] as { erp_id?: string } | null)?.erp_id ?? null;
};

const writesIn = (sell: Sandbox) =>
  sell
    .log()
    .filter(({ instance }) => instance === "adopt")
    .flatMap(({ applied }) => applied);

const aTopic = async (rows: readonly (ErpRow & { readonly id: number })[]): Promise<string> => {
  const topic = `erp.adopt.${randomUUID().slice(0, 8)}`;
  await erp.createTopics([topic], 2);
  await until(async () => (await erp.kafka.admin.endOffsets([topic])).length === 2, `${topic} is there`);
  await erp.write(
    topic,
    rows.map((after) => ({ key: { id: after.id }, after })),
  );
  return topic;
};

const aConfig = (sell: Sandbox, topic: string, route: object = {}, sections: object = {}) => ({
  kafka: { brokers: [inject("kafka")], groupId: `adopt-${randomUUID()}` },
  redis: { url: inject("redis") },
  sell: { baseUrl: sell.url, token: TOKEN, indexLagMs: 0, headers: { "X-Sandbox-Instance": "adopt" } },
  quota: { profile: "none" },
  deadLetter: { topic: "not-asked-for" },
  routes: [
    {
      ...{ topic, name: "customers", format: "debezium-json", entity: "accounts", key: "id", onDelete: "delete" },
      fields: { name: "name", email: { from: "mail", write: "onCreate" }, owner_id: { value: 1 } },
      ...route,
    },
  ],
  ...sections,
});

const run = async (config: object, ...options: readonly string[]) => {
  const file = join(folder, `${randomUUID()}.yaml`);
  await writeFile(file, JSON.stringify(config));
  return runCli(["adopt", "--config", file, ...options]);
};

const adopt = async (config: object, ...options: readonly string[]) => {
  const { code, out, err } = await run(config, "--route", "customers", "--json", ...options);
  expect(err).toBe("");
  return { code, out, ...JSON.parse(out) };
};

type Samples = Readonly<Record<string, { readonly key: string; readonly ids: readonly number[] }[]>>;

/** Partitions are read in no promised order. */
const byKey = (samples: Samples): Samples =>
  Object.fromEntries(
    Object.entries(samples).map(([fate, some]) => [fate, some.toSorted((a, b) => Number(a.key) - Number(b.key))]),
  );

const nobody = (...keys: readonly string[]) => keys.map((key) => ({ key, ids: [] }));

const row = (id: number, mail: string | null, name = `Company ${id}`) => ({ id, name, mail });

describe.each(["bulk", "core"] as const)("in the %s dialect", (dialect) => {
  const settings = { bulk: dialect === "bulk" };

  test("one record, one key and none yet: it is written; whatever is not certain is left alone, and named", async () => {
    await using sell = await aSell({ settings });
    const plain = await aCompany(sell, "A", { email: "Sales@Nord.example " });
    const twins = [
      await aCompany(sell, "B", { email: "b@b.example" }),
      await aCompany(sell, "B2", { email: "B@b.example" }),
    ];
    const shared = await aCompany(sell, "C", { email: "c@c.example" });
    const held = await aCompany(sell, "D", { email: "d@d.example", ...keyed("other") });
    const adopted = await aCompany(sell, "E", { email: "elsewhere@e.example", ...keyed("6") });
    const person = await byHand(sell, "contacts", { last_name: "Nord", email: "sales@nord.example" });
    const topic = await aTopic([
      ...[row(1, "sales@NORD.example"), row(2, "b@b.example"), row(3, "c@c.example"), row(4, "C@C.example")],
      ...[row(5, "d@d.example"), row(6, "e@e.example"), row(7, "new@new.example"), row(8, null)],
    ]);
    const config = aConfig(sell, topic);
    const counts = { keys: 8, unreadable: 0, adopted: 1, matched: 1, new: 2, ambiguous: 3, conflicting: 1, failed: 0 };

    const dry = await adopt(config, "--match", "email", "--dry-run");
    expect(dry).toMatchObject({ code: 1, dryRun: true, ...counts, written: 0 });
    expect(writesIn(sell)).toEqual([]);

    const real = await adopt(config, "--match", "email");
    expect(real).toMatchObject({ code: 1, dryRun: false, ...counts, written: 1 });
    const { ambiguous, conflicting, ...samples } = byKey(real.samples);
    expect([samples.matched, samples.adopted]).toEqual([[{ key: "1", ids: [plain] }], [{ key: "6", ids: [adopted] }]]);
    expect([samples.new, conflicting]).toEqual([nobody("7", "8"), [{ key: "5", ids: [held] }]]);
    expect(ambiguous).toEqual([
      { key: "2", ids: twins },
      { key: "3", ids: [shared] },
      { key: "4", ids: [shared] },
    ]);
    expect(real.out).not.toMatch(/@|Company|Nord/);
    expect(writesIn(sell)).toMatchObject([{ key: "1", id: plain, result: "updated" }]);
    const keys = [plain, ...twins, shared, held, adopted, person].map((id) => keyOf(sell, id));
    expect(keys).toEqual(["1", null, null, null, "other", "6", null]);

    expect(await adopt(config, "--match", "email")).toMatchObject({ adopted: 2, matched: 0, written: 0 });
    expect(writesIn(sell)).toHaveLength(1);
  });

  test("it keeps to the quota that all share, and stops half way to go on where it stood", async () => {
    const windows = [{ type: "sliding-log" as const, limit: 40, perMs: 1_000 }];
    await using sell = await aSell({ rate: { windows }, settings });
    sell.setLimit(1_000_000);
    const ids = await Promise.all(Array.from({ length: 230 }, (_, i) => aCompany(sell, `Company ${i + 1}`)));
    sell.setLimit(40);
    const topic = await aTopic(ids.map((_, i) => row(i + 1, null)));
    const quota = { windows: [{ limit: 40, perMs: 1_000 }] };
    const config = aConfig(sell, topic, {}, { quota });
    const nth = dialect === "bulk" ? 3 : 60;
    const writing = dialect === "bulk" ? { method: "POST", path: "/api/v2/bulk/accounts" } : { method: "PUT" };
    sell.script([{ match: { ...writing, nth }, times: null, reply: { status: 401 } }]);

    const stopped = await run(config, "--route", "customers", "--match", "name", "--json");
    expect([stopped.code, JSON.parse(stopped.out)]).toMatchObject([1, { error: { code: "SELL_HALTED" } }]);
    expect(stopped.err).toMatch(/keys are written; the same command goes on from here\.\n.*refused the access token/);
    const before = writesIn(sell).length;
    guard(before > 0 && before < 230, "nothing was written before the stop, or all of it");

    sell.clearFaults();
    const again = await adopt(config, "--match", "name");
    expect(again).toMatchObject({ code: 0, adopted: before, matched: 230 - before, written: 230 - before });
    expect(
      writesIn(sell)
        .map(({ id }) => id)
        .toSorted(),
    ).toEqual(ids.toSorted());
    expect(ids.map((id) => keyOf(sell, id))).toEqual(ids.map((_, i) => String(i + 1)));
    expect(sell.log().filter(({ refused }) => refused)).toEqual([]);
  });
});

describe("what is compared", () => {
  test("is the latest row of a key; of a deleted one nothing, where the route deletes", async () => {
    await using sell = await aSell();
    const [older, newer, gone] = [
      await aCompany(sell, "Old"),
      await aCompany(sell, "New"),
      await aCompany(sell, "Gone"),
    ];
    const topic = await aTopic([row(1, null, "Old"), row(1, null, "New"), row(2, null, "Gone")]);
    await erp.write(topic, [{ key: { id: 2 }, after: null }]);
    await erp.writeRaw(topic, "{}", "no record of a Debezium", 0);
    const result = await adopt(aConfig(sell, topic), "--match", "name");
    expect(result).toMatchObject({ code: 1, keys: 1, unreadable: 1, written: 1, new: 0 });
    expect([older, newer, gone].map((id) => keyOf(sell, id))).toEqual([null, "1", null]);
  });

  test("is a person's name in its parts, without blanks around it and however it is composed; companies are not asked", async () => {
    await using sell = await aSell();
    const person = await byHand(sell, "contacts", { first_name: "Ren\u00e9", last_name: "Köhler " });
    const company = await aCompany(sell, "René Köhler");
    const topic = await aTopic([{ id: 1, first: " Rene\u0301", last: "Ko\u0308hler" }]);
    const route = { entity: "contacts", fields: { first_name: "first", last_name: "last", owner_id: { value: 1 } } };
    expect(await adopt(aConfig(sell, topic, route), "--match", "name")).toMatchObject({ code: 0, written: 1 });
    expect([person, company].map((id) => keyOf(sell, id))).toEqual(["1", null]);
  });

  test("is any field, also one that the route does not map, with a column that is named", async () => {
    await using sell = await aSell();
    const id = await aCompany(sell, "A", { custom_fields: { vat_id: "DE 123" } });
    const topic = await aTopic([{ id: 1, name: "Another name", vat: "DE 123" }]);
    const config = aConfig(sell, topic);
    expect(await adopt(config, "--match", "custom_fields.vat_id=vat")).toMatchObject({ code: 0, written: 1 });
    expect(keyOf(sell, id)).toBe("1");
    expect([...sell.state()][0]?.data["custom_fields"]).toEqual({ vat_id: "DE 123", erp_id: "1" });
    const { code, err } = await run(config, "--route", "customers", "--match", "custom_fields.vat=vat");
    expect([code, err]).toEqual([
      1,
      expect.stringContaining('Sell has no custom field "vat" on accounts; it has erp_id'),
    ]);
  });

  test("is the id in a file of keys and ids; one that stands twice, has a key or is of a person is not written", async () => {
    await using sell = await aSell();
    const ids = [await aCompany(sell, "A"), await aCompany(sell, "B"), await aCompany(sell, "C", keyed("other"))];
    const [a = 0, b = 0, c = 0] = ids;
    const person = await byHand(sell, "contacts", { last_name: "P" });
    const file = join(folder, `${randomUUID()}.csv`);
    const lines = ["\uFEFFkey;id", `"C, ""1""";${a}`, `C-2;${b}`, `C-3;${b}`, `C-4;${c}`, `C-5;${person}`, ""];
    await writeFile(file, lines.join("\r\n"));
    const result = await adopt(aConfig(sell, "no-such-topic"), "--csv", file);
    expect(result).toMatchObject({ code: 1, keys: 5, written: 1, ambiguous: 2, conflicting: 1, new: 1 });
    expect([...ids, person].map((id) => keyOf(sell, id))).toEqual(['C, "1"', null, "other", null]);
  });
});

const FAST = { windows: [{ limit: 10_000, perMs: 1_000 }] };

test("after it the first run creates nobody twice, though Sell's search is a second late", async () => {
  await using world = await World.create({
    sandbox: { rate: { profile: "none" }, settings: { indexLagMs: 1_000 } },
    config: { sell: { indexLagMs: 1_500 }, quota: FAST },
  });
  const ids = await Promise.all(Array.from({ length: 60 }, (_, i) => aCompany(world.sandbox, `Customer ${i + 1} v1`)));
  await world.writeCustomers(1, 70);
  const found = async (): Promise<unknown> => {
    const dry = await world.command("adopt", "--route", world.customers, "--match", "name", "--dry-run", "--json");
    expect(dry.code, dry.err).toBe(0);
    return JSON.parse(dry.out).matched;
  };
  await until(async () => (await found()) === 60, "Sell's search finds all");
  const { code, out, err } = await world.command("adopt", "--route", world.customers, "--match", "name");
  expect(code, err).toBe(0);
  expect(out).toMatch(/written\W+60\W/);

  const replica = await world.start("a");
  await world.drained();
  expect(world.sandbox.summary().records["contacts"]).toBe(70);
  expect(ids.map((id) => keyOf(world.sandbox, id))).toEqual(ids.map((_, i) => String(i + 1)));

  const running = await world.command("adopt", "--route", world.customers, "--match", "name");
  expect([running.code, running.err]).toEqual([1, expect.stringContaining("stop all replicas first")]);
  await replica.stop();
});

test("what it wrote is remembered: the first run need not search for a single one", async () => {
  await using world = await World.create({
    sandbox: { rate: { profile: "none" }, settings: { bulk: false, indexLagMs: 0 } },
    config: { sell: { dialect: "core", indexLagMs: 0 }, quota: FAST },
  });
  const ids = [
    await aCompany(world.sandbox, "Customer 1 v1"),
    await aCompany(world.sandbox, "Customer 2 v1", keyed("2")),
  ];
  await world.writeCustomers(1, 2);
  expect(await world.command("adopt", "--route", world.customers, "--match", "name")).toMatchObject({ code: 0 });
  await world.start("a");
  await world.drained();
  const calls = world.sandbox.log().filter(({ instance, path }) => instance === "a" && path.startsWith("/v2/contacts"));
  const written = calls.filter(({ method }) => method !== "GET").map(({ method, path }) => `${method} ${path}`);
  expect(written.toSorted()).toEqual(ids.map((id) => `PUT /v2/contacts/${id}`).toSorted());
});

test.each([
  [
    "a route that is not there",
    ["--route", "custmers", "--match", "name"],
    'There is no route "custmers"; the configuration has "customers".',
  ],
  ["two ways at once", ["--route", "customers", "--match", "name", "--csv", "x"], "Give either --match or --csv"],
  [
    "a field the route does not map",
    ["--route", "customers", "--match", "phone"],
    "name the column that holds it, as in --match phone=column",
  ],
  [
    "a field that Sell does not have",
    ["--route", "customers", "--match", "emial=mail"],
    "is no field of accounts; did you mean email?",
  ],
  ["what is the same for all", ["--route", "customers", "--match", "owner_id"], "owner_id cannot be compared"],
  ["a file that is not there", ["--route", "customers", "--csv", "/no/such/file"], "/no/such/file cannot be read"],
] as const)("%s is refused with exit 2, and nobody is asked anything", async (_, options, sentence) => {
  await using sell = await aSell();
  const { code, err } = await run(aConfig(sell, "t"), ...options);
  expect([code, err]).toEqual([2, expect.stringContaining(sentence)]);
  expect(sell.log()).toEqual([]);
});
