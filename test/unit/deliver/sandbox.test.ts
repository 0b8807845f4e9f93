/** The adapter against the simulator of Sell, which shares no code with it. */
import { describe, expect, onTestFinished, test } from "vitest";
import type { Entity } from "../../../src/domain/mutation.ts";
import type { Outcome, Verb, Write } from "../../../src/domain/receipt.ts";
import { systemClock } from "../../../src/lib/clock.ts";
import { type FaultOptions, type SandboxOptions, startSandbox } from "../../../src/sandbox/index.ts";
import { anOpenTarget, aWrite, never } from "./support.ts";

const aPair = async (dialect: "bulk" | "core", options: SandboxOptions = {}) => {
  const sandbox = await startSandbox(
    {
      rate: { profile: "none" },
      ...options,
      settings: { indexLagMs: 0, bulk: dialect === "bulk", ...options.settings },
    },
    { clock: systemClock, random: () => 0.5 },
  );
  onTestFinished(() => sandbox.close());
  const { target } = await anOpenTarget({ baseUrl: sandbox.url });
  const send = (entity: Entity, verb: Verb, ...writes: readonly Partial<Write>[]) =>
    target.send({ entity, verb, writes: writes.map((write) => aWrite({ entity, ...write })) }, never);
  return { sandbox, target, send };
};

const short = (outcomes: readonly Outcome[]) =>
  outcomes.map((outcome) => (outcome.status === "accepted" ? outcome.result : `${outcome.status} ${outcome.reason}`));

const idOf = (outcome: Outcome | undefined): number => {
  if (outcome?.status !== "accepted" || outcome.id === null) throw new Error(`no id in ${JSON.stringify(outcome)}`);
  return outcome.id;
};

describe.each(["bulk", "core"] as const)("in the %s dialect", (dialect) => {
  test("the probe finds the dialect and writes nothing", async () => {
    const { sandbox, target } = await aPair(dialect);
    expect(target).toMatchObject({ dialect, account: "Sandbox", accountId: 1 });
    expect([...sandbox.state()]).toEqual([]);
  });

  test("a company and a person of one key are two records, and a deal refers to the company", async () => {
    const { sandbox, send } = await aPair(dialect);
    const company = await send("accounts", "upsert", { key: "7", body: { name: "Nordlicht" } });
    expect(short(company.outcomes)).toEqual(["created"]);
    expect(short((await send("contacts", "upsert", { key: "7", body: { last_name: "Berg" } })).outcomes)).toEqual([
      "created",
    ]);
    const deal = { key: "O-1", body: { name: "Order", contact_id: idOf(company.outcomes[0]), value: "12.30" } };
    expect(short((await send("deals", "upsert", deal)).outcomes)).toEqual(["created"]);
    expect(short((await send("leads", "upsert", { key: "L", body: { last_name: "X" } })).outcomes)).toEqual([
      "created",
    ]);
    const contacts = [...sandbox.state("contacts")].map(({ data }) => [data["is_organization"], data["custom_fields"]]);
    expect(contacts).toEqual([
      [true, { erp_id: "7" }],
      [false, { erp_id: "7" }],
    ]);
  });

  test("a record is found by its key, changed, deleted once, and then missing", async () => {
    const { send } = await aPair(dialect);
    const [created] = (await send("accounts", "upsert", { body: { name: "A" } })).outcomes;
    const id = idOf(created);
    expect((await send("accounts", "lookup", { body: {} })).outcomes).toEqual([
      { status: "accepted", result: "found", id },
    ]);
    expect(short((await send("accounts", "update", { id, body: { customer_status: "past" } })).outcomes)).toEqual([
      "updated",
    ]);
    expect(short((await send("accounts", "upsert", { id, body: { name: "B" } })).outcomes)).toEqual(["updated"]);
    expect(short((await send("accounts", "delete", { id, body: {} })).outcomes)).toEqual(["deleted"]);
    expect(short((await send("accounts", "delete", { id, body: {} })).outcomes)).toEqual(["missing"]);
    expect(short((await send("accounts", "update", { id, body: { name: "C" } })).outcomes)).toEqual(["missing"]);
    expect(short((await send("accounts", "lookup", { body: {} })).outcomes)).toEqual(["missing"]);
  });

  test("a record Sell finds invalid is rejected with its code and field", async () => {
    const { send } = await aPair(dialect);
    const { outcomes } = await send("accounts", "upsert", { body: { name: "", no_such_field: 1 } });
    expect(outcomes).toMatchObject([{ status: "rejected", reason: "invalid-record", httpStatus: 422 }]);
    expect(outcomes[0]).toHaveProperty("code");
    expect(outcomes[0]).toHaveProperty("field");
  });

  test("twins are ambiguous, for a write and for a lookup", async () => {
    const { send } = await aPair(dialect, { settings: { indexLagMs: 300 } });
    await send("accounts", "upsert", { body: { name: "A" } });
    await send("accounts", "upsert", { body: { name: "A" } });
    await expect
      .poll(async () => short((await send("accounts", "lookup", { body: {} })).outcomes), { timeout: 4_000 })
      .toEqual(["rejected ambiguous-match"]);
    expect(short((await send("accounts", "upsert", { body: { name: "B" } })).outcomes)).toEqual([
      "rejected ambiguous-match",
    ]);
  });

  test("a product is matched on its sku and never doubled", async () => {
    const { sandbox, send } = await aPair(dialect);
    const product = { key: "P-1", body: { name: "Nut" } };
    for (const name of ["Nut", "Nut", "Bolt", "Bolt"]) await send("products", "upsert", { ...product, body: { name } });
    expect([...sandbox.state("products")].map(({ data }) => [data["sku"], data["name"]])).toEqual([["P-1", "Bolt"]]);
  });

  test("missing rights halt the entity, a refused token everything", async () => {
    const { sandbox, send } = await aPair(dialect);
    sandbox.set({ forbidden: ["leads"] });
    const forbidden = await send("leads", "upsert", { body: { last_name: "X" } });
    expect(forbidden).toMatchObject({ halt: { kind: "rights" }, outcomes: [{ status: "retriable" }] });
    sandbox.set({ forbidden: [], tokens: ["another"] });
    const refused = await send("leads", "upsert", { body: { last_name: "X" } });
    expect(refused).toMatchObject({ halt: { kind: "auth" }, outcomes: [{ status: "retriable" }] });
  });

  test.each([
    ["customer", 0],
    ["sell-documented", 0],
    ["sell-observed", 0],
    ["sell-observed", 1],
    ["support-like", 0],
  ] as const)(
    "a refusal of the profile %s, disguised as a 404 with probability %i, throttles",
    async (profile, disguisedShare) => {
      const { sandbox, send } = await aPair(dialect);
      sandbox.setRate({
        profile,
        windows: [{ type: "window-from-first", limit: 1, perMs: 3_600_000 }],
        disguisedShare,
      });
      await send("accounts", "upsert", { body: { name: "A" } });
      const receipt = await send("accounts", "upsert", { body: { name: "A" } });
      expect(receipt.throttle).not.toBeNull();
      expect(receipt.httpStatus).toBe(disguisedShare === 1 ? 404 : 429);
      expect(receipt).toMatchObject({ halt: null, outcomes: [{ status: "retriable", reason: "rate-limited" }] });
    },
  );
});

describe("a bulk batch", () => {
  const three = ["C-1", "C-2", "C-3"].map((key) => ({ key, body: { name: key } }));
  const bad = { key: "C-2", body: { name: "" } };

  test("is judged item by item", async () => {
    const { send } = await aPair("bulk");
    const receipt = await send("accounts", "upsert", three[0] ?? {}, bad, three[2] ?? {});
    expect(receipt.httpStatus).toBe(207);
    expect(short(receipt.outcomes)).toEqual(["created", "rejected invalid-record", "created"]);
    expect(short((await send("accounts", "upsert", ...three)).outcomes)).toEqual(["unchanged", "created", "unchanged"]);
  });

  test.each<[string, FaultOptions, readonly string[]]>([
    ["shuffled verdicts", { verdicts: "shuffled" }, ["created", "created", "created"]],
    ["extra verdicts", { verdicts: "extra" }, ["created", "created", "created"]],
    ["an older version", { verdicts: "older-version" }, ["created", "created", "created"]],
    [
      "half of it applied, then a 502",
      { apply: "half", reply: { status: 502, body: "<html>" } },
      Array(3).fill("unknown http-502"),
    ],
    ["a lost reply", { reply: "reset" }, Array(3).fill("unknown no-reply")],
    ["a reply cut short", { reply: "truncated" }, Array(3).fill("unknown")],
    [
      "200 with HTML",
      { apply: "all", reply: { status: 200, body: "<html>" } },
      Array(3).fill("unknown reply-unreadable"),
    ],
    ["an empty 200", { apply: "all", reply: { status: 200, body: "" } }, Array(3).fill("unknown reply-unreadable")],
    [
      "a redirect",
      { reply: { status: 307, headers: { Location: "/v2/contacts" } } },
      Array(3).fill("unknown redirected"),
    ],
    [
      "one item of unknown outcome",
      { items: { keys: ["C-2"], status: 500, code: "server_error" } },
      ["created", "unknown http-500", "created"],
    ],
    [
      "one item past the limit",
      { items: { keys: ["C-3"], status: 429, code: "rate_limit_exceeded" } },
      ["created", "created", "retriable rate-limited"],
    ],
  ])("with %s gives each item what is sure", async (_name, fault, outcomes) => {
    const { sandbox, send } = await aPair("bulk");
    sandbox.script([fault]);
    const receipt = await send("accounts", "upsert", ...three);
    expect(
      short(receipt.outcomes).map((outcome, i) => (outcomes[i] === "unknown" ? outcome.split(" ")[0] : outcome)),
    ).toEqual(outcomes);
  });

  test.each(["missing", "doubled"] as const)("with a %s verdict leaves that item unknown", async (verdicts) => {
    const { sandbox, send } = await aPair("bulk");
    sandbox.script([{ verdicts }]);
    const outcomes = short((await send("accounts", "upsert", ...three)).outcomes);
    expect(outcomes.filter((outcome) => outcome === `unknown verdict-${verdicts}`)).toHaveLength(1);
    expect(outcomes.filter((outcome) => outcome === "created")).toHaveLength(2);
  });

  test("answered asynchronously is unknown until it is asked again", async () => {
    const { sandbox, send } = await aPair("bulk");
    sandbox.set({ asyncBulk: true });
    expect(short((await send("accounts", "upsert", ...three)).outcomes)).toEqual(
      Array(3).fill("unknown asynchronous-reply"),
    );
  });

  test("with one key twice is our own mistake and refused as a whole", async () => {
    const { send } = await aPair("bulk");
    const twice = await send("accounts", "upsert", { key: "C-1" }, { key: "C-1" });
    expect(short(twice.outcomes)).toEqual(["refused invalid-record", "refused invalid-record"]);
  });
});
