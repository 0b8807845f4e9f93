import { afterEach, expect, test } from "vitest";
import type { Errant } from "../../../src/domain/change.ts";
import type { Mutation } from "../../../src/domain/mutation.ts";
import type { Batch, Outcome, Receipt } from "../../../src/domain/receipt.ts";
import type { ConsumerRecord } from "../../../src/domain/record.ts";
import type { Attempts, Remembered } from "../../../src/domain/stages.ts";
import { type Deferred, deferred } from "../../../src/lib/deferred.ts";
import { Tasks } from "../../../src/lib/tasks.ts";
import { Delivery } from "../../../src/pipeline/delivery.ts";
import { entryId } from "../../../src/window/entry.ts";
import { Window } from "../../../src/window/window.ts";
import { Process, Time } from "../../sim/time.ts";
import { aMutation, aPosition, aRecord } from "../../support/builders.ts";
import { aGateState } from "../../support/gate-state.ts";
import { accepted } from "../../support/window-driver.ts";

const rejected: Outcome = { status: "rejected", reason: "invalid", message: "no", httpStatus: 422 };
const busy: Outcome = { status: "retriable", reason: "busy" };
const unknown: Outcome = { status: "unknown", reason: "no-reply" };

const LATE_MAX_MS = 12_000;

/** Sell, the store and the dead-letter topic answer when the test lets them. */
class Desk {
  readonly time = new Time();
  readonly process = new Process("p", this.time);
  readonly requests: (Deferred<Receipt> & { readonly batch: Batch })[] = [];
  readonly letters: (Deferred<void> & {
    readonly record: ConsumerRecord;
    readonly errant: Errant;
    readonly attempts: Attempts;
  })[] = [];
  readonly told: (number | null)[] = [];
  readonly store = new Map<string, Remembered>();
  readonly settled: Mutation[] = [];
  readonly failures: unknown[] = [];
  readonly events: string[] = [];
  readonly running = new AbortController();
  permits = 0;
  storing: Promise<void> = Promise.resolve();
  maySend = true;
  trusts = true;
  admits = true;
  /** Keys that may not be deleted; null: nobody can tell. */
  braked: ReadonlySet<string> | null = new Set();
  brakeQuestions = 0;
  stopped = new Set<string>();
  readonly #tasks = new Tasks((error) => this.running.signal.aborted || this.failures.push(error));
  readonly window = new Window(
    { maxItems: 2, lingerMs: 0, indexLagMs: 2_000, lateApplyMaxMs: LATE_MAX_MS, parkTimeoutMs: 60_000 },
    {
      ...{
        clock: this.process.clock,
        emit: () => {},
        trusts: () => this.trusts,
        isStopped: ({ key }) => this.#isStopped(key),
      },
      maySendOf: (entity) => this.delivery?.maySendOf(entity) ?? true,
      settle: (mutations) => this.settled.push(...mutations),
      changed: () => this.delivery?.wake(),
      arrived: () => this.delivery?.recall.wake(),
    },
  );
  readonly delivery: Delivery = new Delivery({
    ...{ window: this.window, clock: this.process.clock, random: () => 0.5, tasks: this.#tasks },
    ...{ maxInFlight: 2, indexLagMs: 2_000, lateApplyMaxMs: LATE_MAX_MS },
    emit: (name) => this.events.push(name),
    mayKeepSending: () => this.maySend,
    admits: () => this.admits,
    progressed: () => {},
    ...{
      created: async (mutations) => void this.created.push(...mutations),
      mayDelete: async (mutations) => {
        this.brakeQuestions += 1;
        const may = this.braked && mutations.map(({ key }) => this.braked?.has(key) === false);
        if (may?.includes(false) === true) this.admits = false; // its topic stops
        return may;
      },
      isStopped: ({ key }) => this.#isStopped(key),
    },
    gate: {
      acquire: async (lane) => {
        this.permits += 1;
        return { lane, grantedAtMs: this.time.nowMs };
      },
      tell: async ({ hintMs }) => void this.told.push(hintMs),
      adopt: async () => {},
      see: () => {},
      peek: async () => aGateState(),
      cooldownLeftMs: () => 0,
      close: async () => {},
    },
    target: {
      ...{ dialect: "bulk", maxItems: 2, account: "test", open: async () => {}, close: async () => {} },
      send: (batch) => {
        const request = { ...deferred<Receipt>(), batch };
        this.requests.push(request);
        return request.promise;
      },
      credentialChanged: (signal) =>
        new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason))),
    },
    store: {
      recall: async (ids) => ids.map(({ entity, key }) => this.store.get(entryId(entity, key)) ?? null),
      remember: async (entries) => {
        await this.storing;
        for (const [{ entity, key }, memory] of entries) this.store.set(entryId(entity, key), memory);
      },
      close: async () => {},
    },
    deadLetters: {
      report: (record, errant, attempts) => {
        const letter = { ...deferred(), record, errant, attempts };
        this.letters.push(letter);
        return letter.promise;
      },
    },
  });

  constructor() {
    this.delivery.start(this.running.signal);
  }

  readonly created: Mutation[] = [];

  #isStopped(key: string): boolean {
    return !this.admits || this.stopped.has(key);
  }

  async add(...mutations: readonly Mutation[]): Promise<this> {
    for (const mutation of mutations) this.window.add(mutation);
    return this.pass(0);
  }

  async pass(ms: number): Promise<this> {
    await this.time.run(() => false, this.time.nowMs + ms);
    this.delivery.wake();
    await this.time.run(() => false, this.time.nowMs);
    return this;
  }

  async answer(outcomes: readonly Outcome[], more: Partial<Receipt> = {}): Promise<this> {
    const request = this.requests[this.#answered++];
    request?.resolve({ outcomes, throttle: null, halt: null, httpStatus: 200, names: null, announced: null, ...more });
    return this.pass(0);
  }

  #answered = 0;

  get batches(): readonly (readonly string[])[] {
    return this.requests.map(({ batch }) => batch.writes.map(({ key }) => key));
  }

  get bodies() {
    return this.requests.map(({ batch }) => batch.writes.map(({ key, body }) => [key, body.name]));
  }

  async close(): Promise<void> {
    this.running.abort(new Error("the test is over"));
    await this.time.run(() => false, this.time.nowMs);
  }
}

let desk: Desk;
const open = (): Desk => (desk = new Desk());

afterEach(async () => {
  await desk.close();
  expect(desk.failures).toEqual([]);
});

const IN_SELL: Remembered = {
  ...{ id: 7, deleted: false, version: null, route: "customers", fingerprint: null },
  ...{ acceptedAtMs: 0, from: "erp.customers[0]@0" },
};

const anAccount = (key: string, name: string, record: Partial<ConsumerRecord> = {}): Mutation =>
  aMutation({ key, fields: { name }, record: aRecord(record) });

test("what Sell accepted settles only when the store remembers it", async () => {
  const storing = deferred();
  await open().add(anAccount("1", "a"));
  desk.storing = storing.promise;
  await desk.answer([accepted(7)]);
  expect(desk.settled).toEqual([]);
  storing.resolve();
  await desk.pass(0);
  expect([desk.settled.length, desk.store.get("accounts/1")?.id]).toEqual([1, 7]);
});

test("of a partly accepted batch only what is left goes again", async () => {
  await open().add(anAccount("1", "a"), anAccount("2", "b"));
  await desk.answer([accepted(7), busy]);
  await desk.pass(2_000);
  expect(desk.bodies).toEqual([
    [
      ["1", "a"],
      ["2", "b"],
    ],
    [["2", "b"]],
  ]);
});

test("a refused record is settled by its dead letter, and the version before it is sent then", async () => {
  const [good, bad] = [anAccount("1", "good"), anAccount("1", "bad")];
  await open().add(good, bad);
  await desk.answer([rejected]);
  expect([desk.settled, desk.letters.map(({ record }) => record)]).toEqual([[], [bad.record]]);
  desk.letters[0]?.resolve();
  await desk.pass(0);
  expect([desk.settled, desk.bodies]).toEqual([[bad], [[["1", "bad"]], [["1", "good"]]]]);
});

test("a dead letter names the request that was refused, not one before it", async () => {
  await open().add(anAccount("1", "a"));
  await desk.answer([busy], { names: { batchId: "7x-1", requestId: "first" } });
  await desk.pass(2_000);
  const names = { batchId: "7x-2", requestId: null };
  await desk.answer([rejected], { names });
  expect(desk.letters.map(({ attempts }) => attempts)).toMatchObject([{ count: 2, names }]);
});

test("a record of two refused changes becomes one dead letter", async () => {
  const record = aRecord();
  await open().add(anAccount("1", "a", record), aMutation({ key: "2", fields: { name: "b" }, record }));
  const [one, two] = [aMutation({ key: "3", record }), aMutation({ key: "4", record })];
  await desk.answer([accepted(1), accepted(2)]);
  await desk.add(one, two);
  await desk.answer([rejected, rejected]);
  expect(desk.letters).toHaveLength(1);
  desk.letters[0]?.resolve();
  await desk.pass(0);
  expect(desk.settled.slice(-2)).toEqual([one, two]);
});

const anOrder = (key: string, sku: string): Mutation =>
  aMutation({
    ...{ entity: "orders", key, record: aRecord({ key: Buffer.from(key) }) },
    refs: [{ field: "lines.0.product_id", entity: "products", key: sku }],
  });

const anAccountOf = (onMissing: Mutation["onMissing"]): Mutation =>
  aMutation({ key: "1", fields: { name: "a" }, onMissing });

const SEVERAL: Outcome = { status: "rejected", reason: "ambiguous-match", message: "Several.", httpStatus: 200 };
const NONE: Outcome = { status: "accepted", result: "missing", id: null };

test("what refers to one of several records becomes a dead letter at once, what refers to none yet waits", async () => {
  const [first, second, third] = [anOrder("1", "S-1"), anOrder("2", "S-1"), anOrder("3", "S-2")];
  await open().add(first, second, third);
  const names = { batchId: "7x-1", requestId: "b5h8u" };
  for (const { batch } of [...desk.requests])
    await desk.answer([batch.writes[0]?.key === "S-1" ? SEVERAL : NONE], { names });
  expect(desk.letters.map(({ record, errant, attempts }) => [record, errant.reason, errant.message, attempts])).toEqual(
    [first, second].map(({ record }) => [
      record,
      "ambiguous-match",
      "It refers to products S-1, and several records in Sell carry this key: merge or delete all but one, then replay the dead letter.",
      { count: 0, firstMs: null, names },
    ]),
  );
  for (const letter of desk.letters) letter.resolve();
  await desk.pass(1_000);
  expect(desk.settled).toEqual([first, second]);
  expect([desk.requests.length, desk.window.parked().get("orders")]).toEqual([2, 1]);
});

test("a topic that stands still asks no more for parents that cannot be told", async () => {
  await open().add(anOrder("1", "S-1"));
  desk.admits = false;
  await desk.answer([SEVERAL]);
  await desk.pass(600_000);
  expect([desk.letters, desk.settled, desk.requests.length]).toEqual([[], [], 1]);
});

test("a record that somebody deleted in Sell becomes a dead letter where the route says so, and is not brought back", async () => {
  open().store.set("accounts/1", IN_SELL);
  await desk.add(anAccountOf("deadLetter"));
  expect(desk.requests[0]?.batch).toMatchObject({ verb: "update", writes: [{ id: 7 }] });
  await desk.answer([NONE]);
  expect(desk.letters.map(({ errant }) => errant.reason)).toEqual(["record-gone"]);
  desk.letters[0]?.resolve();
  await desk.pass(60_000);
  expect([desk.settled.length, desk.requests.length]).toEqual([1, 1]);
});

test("a throttled batch waits without counting as tried, and everybody is told", async () => {
  await open().add(anAccount("1", "a"));
  await desk.answer([busy], { throttle: { hintMs: 9_000, source: "body" }, httpStatus: 429 });
  expect([desk.told, desk.letters, desk.bodies.length]).toEqual([[9_000], [], 2]);
});

test("of unknown outcome the same body goes again, and a newer one only when no late one can come", async () => {
  open().store.set("accounts/1", IN_SELL);
  await desk.add(anAccount("1", "old"));
  await desk.answer([unknown], { httpStatus: null });
  await desk.add(anAccount("1", "new"));
  await desk.pass(2_000);
  await desk.answer([accepted(7)]);
  expect(desk.bodies).toEqual([[["1", "old"]], [["1", "old"]]]);
  await desk.pass(LATE_MAX_MS - 2_001);
  expect(desk.bodies).toHaveLength(2);
  await desk.pass(1);
  expect(desk.bodies[2]).toEqual([["1", "new"]]);
});

test("a reply read so late that another may have written since is neither remembered nor settled", async () => {
  open().store.set("accounts/1", IN_SELL);
  await desk.add(anAccount("1", "a"));
  await desk.pass(LATE_MAX_MS + 1);
  await desk.answer([accepted(7)]);
  expect([desk.store.get("accounts/1"), desk.settled]).toEqual([IN_SELL, []]);
  expect(desk.bodies).toEqual([[["1", "a"]], [["1", "a"]]]);
});

test("a refusal of changes that were lost meanwhile buries nothing that came after", async () => {
  await open().add(anAccount("1", "bad"));
  desk.window.drop(() => true);
  const again = anAccount("1", "good", { position: aPosition({ epoch: 2 }) });
  await desk.add(again);
  await desk.answer([rejected]);
  expect([desk.letters, desk.bodies[1]]).toEqual([[], [["1", "good"]]]);
});

test("an unknown outcome of changes that were lost meanwhile still locks their key", async () => {
  await open().add(anAccount("1", "old"));
  desk.window.drop(() => true);
  await desk.add(anAccount("1", "new", { position: aPosition({ epoch: 2 }) }));
  await desk.answer([unknown], { httpStatus: null });
  await desk.pass(LATE_MAX_MS - 1);
  expect(desk.bodies).toHaveLength(1);
  await desk.pass(1);
  expect(desk.bodies[1]).toEqual([["1", "new"]]);
});

test("a refused credential stops all requests for a minute, and no record suffers", async () => {
  await open().add(anAccount("1", "a"));
  await desk.answer([busy], { halt: { kind: "auth", message: "The token is not valid." }, httpStatus: 401 });
  await desk.pass(59_999);
  expect([desk.delivery.isHalted, desk.bodies.length, desk.letters]).toEqual([true, 1, []]);
  await desk.pass(1);
  expect([desk.delivery.isHalted, desk.bodies.length]).toEqual([true, 2]);
  await desk.answer([accepted(7)]);
  expect(desk.delivery.isHalted).toBe(false);
  expect(desk.events.filter((name) => name.endsWith("halted"))).toEqual(["halted", "unhalted"]);
});

const REFUSED = { status: "retriable", reason: "forbidden" } as const;

test("after a refusal one request goes ahead as a probe, and the others follow its answer", async () => {
  await open().add(...["1", "2", "3", "4", "5", "6"].map((key) => anAccount(key, key)));
  expect(desk.bodies).toHaveLength(2);
  const refused = { halt: { kind: "auth", message: "No." }, httpStatus: 401 } as const;
  await desk.answer([REFUSED, REFUSED], refused);
  await desk.answer([REFUSED, REFUSED], refused);
  await desk.pass(60_000);
  expect(desk.bodies, "one probe").toHaveLength(3);
  await desk.answer([REFUSED, REFUSED], refused);
  await desk.pass(59_999);
  expect(desk.bodies).toHaveLength(3);
  await desk.pass(1);
  expect(desk.bodies, "another one").toHaveLength(4);
  await desk.answer([unknown, unknown], { httpStatus: null });
  expect(desk.bodies, "no answer: the next one asks").toHaveLength(5);
  await desk.answer([accepted(1), accepted(2)]);
  expect(desk.delivery.isHalted).toBe(false);
  expect(desk.events.filter((name) => name.endsWith("halted"))).toEqual(["halted", "unhalted"]);
  await desk.pass(0);
  expect(desk.bodies.length).toBeGreaterThan(5);
});

test("a right that is missing for one entity stops the requests of that entity alone", async () => {
  await open().add(aMutation({ entity: "products", key: "P" }));
  await desk.answer([REFUSED], { halt: { kind: "rights", message: "No." }, httpStatus: 403 });
  await desk.add(aMutation({ entity: "products", key: "Q" }), anAccount("1", "a"));
  await desk.answer([accepted(7)]);
  await desk.add(anAccount("2", "b"));
  await desk.answer([accepted(8)]);
  expect(desk.requests.map(({ batch }) => batch.entity)).toEqual(["products", "accounts", "accounts"]);
  expect([desk.delivery.isHalted, desk.delivery.isAccepting]).toEqual([true, false]);
  await desk.pass(60_000);
  expect(desk.requests.map(({ batch }) => batch.entity).slice(3)).toEqual(["products"]);
  await desk.answer([accepted(9), accepted(10)]);
  expect(desk.delivery.isHalted).toBe(false);
});

const STOPPED: Outcome = { status: "retriable", reason: "blocked", alone: true };
const HALVE: Outcome = { status: "refused", reason: "blocked" };

test("a record that a firewall dislikes is tried alone and ever more rarely, and no other waits for it", async () => {
  await open().add(anAccount("1", "a"), anAccount("2", "<script>"));
  await desk.answer([HALVE, HALVE], { httpStatus: 403 });
  await desk.answer([accepted(7)]);
  await desk.answer([STOPPED], { httpStatus: 403 });
  await desk.add(anAccount("3", "c"));
  await desk.answer([accepted(8)]);
  await desk.pass(59_999);
  expect(desk.bodies.slice(1)).toEqual([[["1", "a"]], [["2", "<script>"]], [["3", "c"]]]);
  await desk.pass(1);
  await desk.answer([STOPPED], { httpStatus: 403 });
  await desk.pass(119_999);
  expect(desk.bodies.length).toBe(5);
  await desk.pass(1);
  expect(desk.bodies.slice(4)).toEqual([[["2", "<script>"]], [["2", "<script>"]]]);
  expect(desk.events.filter((event) => event === "record-isolated")).toHaveLength(2);
  expect([desk.letters, desk.delivery.isHalted, desk.delivery.isAccepting]).toEqual([[], false, true]);
});

test.each<[string, Outcome, Partial<Receipt>, boolean]>([
  ["one verdict", accepted(8), {}, true],
  ["a refusal of the record", rejected, { httpStatus: 422 }, true],
  ["no connection", { status: "retriable", reason: "unreachable" }, { httpStatus: null }, false],
  ["a request to come later", { status: "retriable", reason: "temporarily-unavailable" }, { httpStatus: 503 }, false],
  ["no answer", unknown, { httpStatus: null }, false],
  ["a 429", busy, { throttle: { hintMs: 3_600_000, source: "body" }, httpStatus: 429 }, false],
  ["a right that is missing", busy, { halt: { kind: "rights", message: "No." }, httpStatus: 403 }, false],
  ["a record that alone does not pass", STOPPED, { httpStatus: 403 }, true],
  [
    "a conflict about the record",
    { status: "retriable", reason: "conflict", limited: true },
    { httpStatus: 409 },
    true,
  ],
])("whether Sell takes what is sent, after a verdict and %s", async (_, outcome, more, isAccepting) => {
  await open().add(anAccount("1", "a"));
  await desk.answer([accepted(7)]);
  await desk.add(anAccount("2", "b"));
  await desk.answer([outcome], more);
  expect(desk.delivery.isAccepting).toBe(isAccepting);
});

test("before a wall one request a minute tries, with other records each time, and the first that passes lets all follow", async () => {
  const walled = { halt: { kind: "blocked", message: "Nothing passes." }, httpStatus: 403 } as const;
  await open().add(anAccount("1", "a"));
  await desk.answer([STOPPED], walled);
  await desk.add(anAccount("2", "b"), anAccount("3", "c"));
  await desk.pass(59_999);
  expect(desk.batches).toEqual([["1"]]);
  await desk.pass(1);
  await desk.answer([HALVE, HALVE], walled);
  await desk.pass(60_000);
  await desk.answer([accepted(8)]);
  await desk.answer([accepted(9)]);
  expect(desk.batches).toEqual([["1"], ["2", "3"], ["2"], ["3"]]);
  await desk.pass(600_000);
  expect(desk.batches.slice(4)).toEqual([["1"]]);
  expect(desk.events.filter((name) => name.endsWith("halted"))).toEqual(["halted", "unhalted"]);
  expect([desk.letters, desk.events.includes("record-isolated")]).toEqual([[], false]);
});

test("a write of several steps goes on at once, and settles with the last", async () => {
  const step = { status: "progress", reason: "head-written", alone: true, created: false } as const;
  await open().add(anAccount("1", "a"), anAccount("2", "b"));
  await desk.answer([step, step]);
  expect(desk.bodies.slice(1), "each in a request of its own").toEqual([[["1", "a"]], [["2", "b"]]]);
  await desk.answer([step]);
  await desk.answer([accepted(8)]);
  expect(desk.settled.map(({ key }) => key)).toEqual(["2"]);
  await desk.answer([accepted(7)]);
  expect(desk.settled.map(({ key }) => key)).toEqual(["2", "1"]);
});

test("nothing leaves, and no permit is taken, while a join or a lease forbids it", async () => {
  open().maySend = false;
  await desk.add(anAccount("1", "a"));
  expect([desk.permits, desk.bodies]).toEqual([0, []]);
  desk.maySend = true;
  await desk.pass(0);
  expect(desk.bodies).toHaveLength(1);
});

test("no more requests are on the wire than allowed", async () => {
  await open().add(...["1", "2", "3", "4", "5", "6"].map((key) => anAccount(key, "a")));
  expect([desk.bodies.length, desk.delivery.onTheWire]).toEqual([2, 2]);
});

test("a record at which Sell fails while it answers for others is named, and tried rarely and alone", async () => {
  open();
  for (const key of ["1", "2", "3"]) desk.store.set(`accounts/${key}`, IN_SELL);
  await desk.add(anAccount("1", "poison"));
  await desk.answer([unknown], { httpStatus: 500 });
  await desk.pass(3_000);
  await desk.answer([unknown], { httpStatus: 500 });
  expect(desk.events).not.toContain("record-isolated");
  await desk.add(anAccount("2", "a"));
  await desk.answer([accepted(2)]);
  await desk.pass(4_000);
  await desk.answer([unknown], { httpStatus: 500 });
  expect(desk.events.filter((event) => event === "record-isolated")).toHaveLength(1);
  await desk.pass(60_000);
  await desk.answer([unknown], { httpStatus: 500 });
  await desk.pass(119_999);
  expect(desk.bodies).toHaveLength(5);
  desk.window.add(anAccount("3", "b"));
  await desk.pass(1);
  expect(desk.bodies.slice(5)).toEqual(expect.arrayContaining([[["1", "poison"]], [["3", "b"]]]));
});

test("while Sell fails for all, no record is a suspect", async () => {
  open().store.set("accounts/1", IN_SELL);
  await desk.add(anAccount("1", "a"));
  for (const backoffMs of [2_000, 2_000, 4_000, 8_000, 16_000, 30_000]) {
    await desk.answer([unknown], { httpStatus: 500 });
    await desk.pass(backoffMs);
  }
  expect([desk.events.includes("record-isolated"), desk.bodies.length]).toEqual([false, 7]);
});

test("when its topic has stopped, a refused record is neither buried nor settled nor sent again", async () => {
  open().admits = false;
  desk.window.add(anAccount("1", "a"));
  desk.admits = true;
  await desk.pass(0);
  desk.admits = false;
  await desk.answer([rejected]);
  await desk.pass(600_000);
  expect([desk.letters, desk.settled, desk.bodies.length]).toEqual([[], [], 1]);
});

const aDeletion = (key: string): Mutation => aMutation({ key, action: "delete", isDelete: true, fields: {} });
const inSell = (...keys: readonly string[]): void => {
  for (const [i, key] of keys.entries()) desk.store.set(`accounts/${key}`, { ...IN_SELL, id: i + 1 });
};

test("of a batch of deletions only those within the brake leave, at the price of one question", async () => {
  open();
  inSell("1", "2");
  desk.braked = new Set(["2"]);
  await desk.add(aDeletion("1"), aDeletion("2"));
  expect(desk.requests.map(({ batch }) => batch.writes.map(({ key }) => key))).toEqual([["1"]]);
  expect([desk.brakeQuestions, desk.settled]).toEqual([1, []]);
});

test("while nobody can count them, deletions wait, take no other call's place, and are asked for about once a second", async () => {
  open();
  inSell("1", "2");
  desk.braked = null;
  await desk.add(aDeletion("1"));
  await desk.add(anAccount("2", "b"));
  await desk.pass(5_000);
  expect([desk.requests.map(({ batch }) => batch.verb), desk.brakeQuestions <= 7]).toEqual([["upsert"], true]);
  desk.braked = new Set();
  await desk.pass(1_000);
  expect(desk.requests.map(({ batch }) => batch.verb)).toEqual(["upsert", "delete"]);
});

test("what Sell created is told, and what it only updated is not", async () => {
  const [one, two] = [anAccount("1", "a"), anAccount("2", "b")];
  await open().add(one, two);
  await desk.answer([accepted(1, "created"), accepted(2, "updated")]);
  expect(desk.created).toEqual([one]);
});

test("halves of a batch whose topic has stopped meanwhile do not leave; what may have been applied is repeated all the same", async () => {
  open();
  inSell("1", "2");
  await desk.add(anAccount("1", "a"), anAccount("2", "b"));
  desk.stopped.add("1");
  await desk.answer([
    { status: "refused", reason: "too-large" },
    { status: "refused", reason: "too-large" },
  ]);
  expect(desk.bodies.slice(1)).toEqual([[["2", "b"]]]);
  desk.stopped.add("2");
  await desk.answer([unknown], { httpStatus: null });
  await desk.pass(4_000);
  expect(desk.bodies.slice(2)).toEqual([[["2", "b"]]]);
  desk.stopped.clear();
  desk.window.stopsChanged();
  await desk.pass(0);
  expect(desk.bodies.slice(3)).toEqual([[["1", "a"]]]);
});

const SKIPPED = { stage: "deliver", reason: "skipped", message: "Skipped by ann: ticket 7" } as const;

test("a record of two changes that is skipped becomes one dead letter, and settles when that is stored", async () => {
  const record = aRecord();
  const changes = ["1", "2"].map((key) => aMutation({ key, record }));
  open().stopped = new Set(["1", "2"]);
  await desk.add(...changes);
  const done = desk.delivery.burial.skip(record.position, SKIPPED, desk.running.signal);
  await desk.pass(0);
  expect([desk.letters.length, desk.settled]).toEqual([1, []]);
  desk.letters[0]?.resolve();
  expect([await done, desk.settled, desk.requests]).toEqual(["done", changes, []]);
});

test("the memory of a record that an owner before may have written is doubted, too, when it is refused now", async () => {
  open().store.set("accounts/1", { ...IN_SELL, fingerprint: "f" });
  desk.trusts = false;
  await desk.add(anAccount("1", "a"));
  await desk.answer([rejected]);
  desk.letters[0]?.resolve();
  await desk.pass(0);
  expect([desk.settled.length, desk.store.get("accounts/1")?.fingerprint]).toEqual([1, null]);
});

test("the memory of a record that was tried before it was skipped is doubted before it settles", async () => {
  open().store.set("accounts/1", { ...IN_SELL, fingerprint: "f" });
  const change = anAccount("1", "a");
  await desk.add(change);
  expect(await desk.delivery.burial.skip(change.record.position, SKIPPED, desk.running.signal)).toBe("busy");
  await desk.answer([unknown], { httpStatus: null });
  const storing = deferred();
  desk.storing = storing.promise;
  const done = desk.delivery.burial.skip(change.record.position, SKIPPED, desk.running.signal);
  await desk.pass(0);
  desk.letters[0]?.resolve();
  await desk.pass(0);
  expect(desk.settled).toEqual([]);
  storing.resolve();
  expect([await done, desk.store.get("accounts/1")?.fingerprint, desk.settled]).toEqual(["done", null, [change]]);
});
