/** Orders with their lines, against the simulator of Sell, in both dialects. */
import { describe, expect, onTestFinished, test } from "vitest";
import type { Entity, Fields } from "../../../src/domain/mutation.ts";
import type { Outcome, Receipt, Verb, Write } from "../../../src/domain/receipt.ts";
import { systemClock } from "../../../src/lib/clock.ts";
import { type FaultOptions, startSandbox } from "../../../src/sandbox/index.ts";
import { until } from "../../support/until.ts";
import { anOpenTarget, aSell, aWrite, json, never } from "./support.ts";

const MAX_STEPS = 100;
/** After it no request that got no answer is applied any more. */
const LATE_MS = 600;

/** A deal, two products, and a target that has nothing to wait for. */
const aShop = async (dialect: "bulk" | "core", indexLagMs = 0) => {
  const sandbox = await startSandbox(
    { rate: { profile: "none" }, settings: { indexLagMs, bulk: dialect === "bulk" } },
    { clock: systemClock, random: () => 0.5 },
  );
  onTestFinished(() => sandbox.close());
  const aTarget = async () =>
    (await anOpenTarget({ baseUrl: sandbox.url, lateApplyMaxMs: LATE_MS, indexLagMs: 0 })).target;
  let target = await aTarget();
  const send = (entity: Entity, verb: Verb, writes: readonly Partial<Write>[]): Promise<Receipt> =>
    target.send({ entity, verb, writes: writes.map((write) => aWrite({ entity, ...write })) }, never);
  /** As the pipeline does: step after step, until it is neither under way nor to be tried again. */
  const settle = async (entity: Entity, verb: Verb, write: Partial<Write>): Promise<Outcome> => {
    for (let step = 0; step < MAX_STEPS; step++) {
      const [outcome] = (await send(entity, verb, [write])).outcomes;
      if (outcome === undefined) throw new Error("no outcome");
      if (outcome.status === "accepted" || outcome.status === "rejected") return outcome;
      if (outcome.status === "retriable") await systemClock.sleep(20, never);
    }
    throw new Error(`not done after ${MAX_STEPS} steps`);
  };
  const create = async (entity: Entity, key: string, body: Fields): Promise<number> => {
    const outcome = await settle(entity, "upsert", { key, body });
    if (outcome.status !== "accepted" || outcome.id === null) throw new Error(JSON.stringify(outcome));
    return outcome.id;
  };
  const prices = { EUR: "10.00", CHF: null };
  const company = await create("accounts", "C-1", { name: "Nordlicht" });
  const deal = await create("deals", "O-1", { name: "Order", contact_id: company });
  const bolt = await create("products", "BOLT", { name: "Bolt", prices });
  const nut = await create("products", "NUT", { name: "Nut", prices });
  const line = (sku: string, quantity: number, more: Fields = {}): Fields => ({
    ...{ sku, product_id: sku === "BOLT" ? bolt : nut, quantity, currency: "EUR" },
    ...more,
  });
  const order = (lines: readonly Fields[], more: Partial<Write> = {}, head: Fields = {}): Partial<Write> => ({
    key: "O-1",
    body: { deal_id: deal, ...head, lines },
    ...more,
  });
  const lines = () =>
    [...sandbox.state("line_items")]
      .map(({ data }) => `${data["quantity"]} ${data["sku"]} ${data["variation"]}`)
      .sort();
  const orders = () => [...sandbox.state("orders")].map(({ data }) => data);
  const since = sandbox.log().length;
  const calls = () =>
    sandbox
      .log()
      .slice(since)
      .map(({ method, path }) => `${method} ${path.replace(/\d{4,}/g, "N")}`);
  return {
    ...{ sandbox, send, settle, create, line, order, lines, orders, calls, deal },
    restart: async (as?: typeof target) => {
      target = as ?? (await aTarget());
      return target;
    },
    fault: (fault: FaultOptions) => sandbox.script([fault]),
  };
};

const result = (outcome: Outcome) => (outcome.status === "accepted" ? outcome.result : outcome);

describe.each(["bulk", "core"] as const)("in the %s dialect", (dialect) => {
  test("what was found out before another replica wrote the order is not believed", async () => {
    const { send, settle, order, line, lines, restart } = await aShop(dialect);
    const wanted = [line("BOLT", 3), line("NUT", 1)];
    const ours = await restart();
    for (let step = 0; step < (dialect === "bulk" ? 1 : 2); step++)
      await send("orders", "upsert", [order(wanted, { series: 1 })]);
    await restart();
    await settle("orders", "upsert", order(wanted, { series: 1 }));
    await restart(ours);
    await settle("orders", "upsert", order([...wanted, line("NUT", 7)], { series: 2 }));
    expect(lines()).toEqual(["1 NUT 0", "3 BOLT 0", "7 NUT 0"]);
  });

  test("an order is created with its lines, and changed by what differs alone", async () => {
    const { settle, order, line, lines, orders, calls } = await aShop(dialect);
    const created = await settle("orders", "upsert", order([line("BOLT", 3), line("NUT", 1)], {}, { discount: 5 }));
    expect(result(created)).toBe("created");
    expect(lines()).toEqual(["1 NUT 0", "3 BOLT 0"]);
    expect(orders()).toMatchObject([{ discount: 5 }]);
    const heads = dialect === "bulk" ? ["POST /api/v2/bulk/orders"] : ["GET /v2/orders", "POST /v2/orders"];
    expect(calls()).toEqual([...heads, "POST /v2/orders/N/line_items", "POST /v2/orders/N/line_items"]);

    const id = created.status === "accepted" ? created.id : null;
    const before = calls().length;
    const changed = await settle("orders", "upsert", order([line("BOLT", 4), line("NUT", 1)], { id }, { discount: 5 }));
    expect(result(changed)).toBe("updated");
    expect(lines()).toEqual(["1 NUT 0", "4 BOLT 0"]);
    expect(calls().slice(before)).toEqual([
      dialect === "bulk" ? "POST /api/v2/bulk/orders" : "PUT /v2/orders/N",
      "GET /v2/orders/N/line_items",
      "DELETE /v2/orders/N/line_items/N",
      "POST /v2/orders/N/line_items",
    ]);
  });

  test("lines that are there already are left alone, however they are written", async () => {
    const { settle, order, line, calls } = await aShop(dialect);
    await settle(
      "orders",
      "upsert",
      order([line("BOLT", 3, { variation: "-5" }), line("BOLT", 3, { variation: "-5" })]),
    );
    const before = calls().length;
    const written = [line("BOLT", 3, { variation: "-5.00" }), line("BOLT", 3, { variation: "-5.0" })];
    await settle("orders", "upsert", order(written));
    expect(
      calls()
        .slice(before)
        .filter((call) => /line_items/.test(call)),
    ).toEqual(["GET /v2/orders/N/line_items"]);
  });

  test("one order a deal: another process finds it instead of creating a second", async () => {
    const { settle, order, line, orders, restart, lines } = await aShop(dialect);
    await settle("orders", "upsert", order([line("BOLT", 3)]));
    await restart();
    expect(result(await settle("orders", "upsert", order([line("NUT", 2)])))).toBe("updated");
    expect(orders()).toHaveLength(1);
    expect(lines()).toEqual(["2 NUT 0"]);
  });

  test("interrupted anywhere it goes on from what Sell has", async () => {
    for (let after = 1; after <= 6; after++) {
      const { settle, send, order, line, lines, restart } = await aShop(dialect);
      const wanted = order([line("BOLT", 3), line("NUT", 1), line("NUT", 7)]);
      for (let step = 0; step < after; step++) await send("orders", "upsert", [wanted]);
      await restart();
      await settle("orders", "upsert", wanted);
      expect(lines()).toEqual(["1 NUT 0", "3 BOLT 0", "7 NUT 0"]);
    }
  });

  test("a newer change between two steps ends in the newer lines", async () => {
    const { settle, send, order, line, lines, orders } = await aShop(dialect);
    const older = order([line("BOLT", 3), line("NUT", 1)], {}, { discount: 1 });
    for (let step = 0; step < 3; step++) await send("orders", "upsert", [older]);
    await settle("orders", "upsert", order([line("NUT", 9)], {}, { discount: 2 }));
    expect(lines()).toEqual(["9 NUT 0"]);
    expect(orders()).toMatchObject([{ discount: 2 }]);
  });

  test("a line that was applied without an answer, even late, is there once", async () => {
    for (const apply of ["all", "late"] as const) {
      const { settle, order, line, lines, fault, sandbox } = await aShop(dialect);
      fault({ match: { method: "POST", path: "/v2/orders/" }, apply, lateMs: LATE_MS / 6, reply: "reset" });
      await settle("orders", "upsert", order([line("BOLT", 3), line("NUT", 1)]));
      const unanswered = sandbox.log().find(({ reply }) => reply === "cut");
      await until(() => unanswered?.applied.length === 1, "the line of the first try is applied");
      expect(lines()).toEqual(["1 NUT 0", "3 BOLT 0"]);
      expect(sandbox.summary().faultsPending).toBe(0);
    }
  });

  test("what was written a moment ago is known, though a search would not find it yet", async () => {
    const { settle, send, order, line, lines } = await aShop(dialect, 60_000);
    const older = order([line("BOLT", 3), line("NUT", 1), line("NUT", 5)], {}, { discount: 1 });
    for (let step = 0; step < 3; step++) await send("orders", "upsert", [older]);
    await settle("orders", "upsert", order([line("BOLT", 3), line("NUT", 9)], {}, { discount: 2 }));
    expect(lines()).toEqual(["3 BOLT 0", "9 NUT 0"]);
  });

  test("an order that a search does not find yet is not created twice", async () => {
    const { settle, order, line, orders, lines, restart } = await aShop(dialect, 200);
    await settle("orders", "upsert", order([line("BOLT", 3)]));
    await restart();
    await settle("orders", "upsert", {
      ...order([]),
      body: { deal_id: orders()[0]?.["deal_id"] as number, discount: 9 },
    });
    expect(orders()).toMatchObject([{ discount: 9 }]);
    expect(lines()).toEqual(["3 BOLT 0"]);
  });

  test("a line that Sell refuses makes a dead letter of the order", async () => {
    const { settle, order, line } = await aShop(dialect);
    const outcome = await settle("orders", "upsert", order([line("BOLT", 3, { currency: "USD" })]));
    expect(outcome).toMatchObject({ status: "rejected", reason: "invalid-record", field: "currency" });
  });

  test("an order without lines of its own leaves those that are there", async () => {
    const { settle, order, line, lines, deal } = await aShop(dialect);
    await settle("orders", "upsert", order([line("BOLT", 3)]));
    await settle("orders", "upsert", { key: "O-1", body: { deal_id: deal, discount: 7 } });
    expect(lines()).toEqual(["3 BOLT 0"]);
    await settle("orders", "upsert", order([]));
    expect(lines()).toEqual([]);
  });

  test("is found by the deal's key, and deleted by its id", async () => {
    const { settle, order, line, orders } = await aShop(dialect);
    await settle("orders", "upsert", order([line("BOLT", 3)]));
    const found = await settle("orders", "lookup", { key: "O-1", body: {} });
    expect(result(found)).toBe("found");
    const id = found.status === "accepted" ? found.id : null;
    expect(result(await settle("orders", "delete", { key: "O-1", id, body: {} }))).toBe("deleted");
    expect(orders()).toEqual([]);
    expect(result(await settle("orders", "lookup", { key: "O-1", body: {} }))).toBe("missing");
    expect(result(await settle("orders", "lookup", { key: "nobody", body: {} }))).toBe("missing");
  });
});

test("in bulk the heads of many orders share one request", async () => {
  const { send, create, line, calls } = await aShop("bulk");
  const company = await create("accounts", "C-2", { name: "Sued" });
  const writes = [];
  for (const key of ["A", "B", "C"]) {
    const deal = await create("deals", key, { name: key, contact_id: company });
    writes.push({ key, body: { deal_id: deal, lines: [line("BOLT", 1)] } });
  }
  const before = calls().length;
  const { outcomes } = await send("orders", "upsert", writes);
  expect(outcomes).toMatchObject(writes.map(() => ({ status: "progress", alone: true })));
  expect(calls().slice(before)).toEqual(["POST /api/v2/bulk/orders"]);
});

test("an order of another deal than the asked one is never taken for ours", async () => {
  const order = { data: { id: 42, deal_id: 6 } };
  const sell = await aSell((_seen, response) => json(response, 200, { items: [order] }), { bulk: false });
  const { target } = await anOpenTarget({ baseUrl: sell.url });
  const writes = [aWrite({ entity: "orders", body: { deal_id: 5, lines: [] } })];
  const { outcomes } = await target.send({ entity: "orders", verb: "upsert", writes }, never);
  expect(outcomes).toEqual([{ status: "retriable", reason: "key-mismatch" }]);
});
