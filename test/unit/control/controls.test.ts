/** What replicas make of the notes on the board. */
import { expect, test } from "vitest";
import { type ControlHandlers, Controls } from "../../../src/control/controls.ts";
import { brakeField, pauseField, type SkipAnswer, skipField } from "../../../src/control/notes.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { MemoryBoard } from "../../support/memory-board.ts";

const PAUSED = { state: "paused", who: "ann", why: "wrong prices" };
const RESUMED = { state: "resumed", who: "bob" };
const PLACE = { topic: "erp.customers", partition: 3, offset: 41n };

class Group implements AsyncDisposable {
  readonly clock = new FakeClock();
  readonly board = new MemoryBoard(this.clock);
  readonly events: string[] = [];
  readonly #stop = new AbortController();
  readonly #watching: Promise<void>[] = [];

  async replica(
    more: {
      readonly paused?: string;
      readonly deletions?: number | null;
      readonly skip?: ControlHandlers["skip"];
    } = {},
  ) {
    const { signal } = this.#stop;
    let changes = 0;
    const brake = { deletions: more.deletions === undefined ? 10 : more.deletions, creations: null };
    const controls = new Controls({
      routes: [
        { name: "customers", topic: "erp.customers", paused: more.paused ?? null, brake },
        { name: "orders", topic: "erp.orders", paused: null, brake },
      ],
      ...{ board: this.board, count: null, redis: null, name: "a", clock: this.clock },
      emit: (name) => this.events.push(name),
    });
    const opened = controls.open(signal);
    await this.pass(0);
    const handlers = {
      changed: () => (changes += 1),
      owns: () => more.skip !== undefined,
      skip: more.skip ?? (async () => "moved" as const),
    };
    this.#watching.push(opened.then(() => controls.watch(handlers, signal)).catch(() => {}));
    await this.pass(0);
    return { controls, changes: () => changes };
  }

  /** Second by second, as the replicas look. */
  async pass(seconds: number): Promise<void> {
    for (let second = 0; second <= seconds; second++) {
      if (second > 0) this.clock.advance(1_000);
      for (let i = 0; i < 50; i++) await Promise.resolve();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new Error("the test is over"));
    await Promise.all(this.#watching);
  }
}

test("a pause stops its topic in every replica within a second or two, until it is resumed; nothing else", async () => {
  await using group = new Group();
  const replicas = [await group.replica(), await group.replica()];
  await group.board.put(pauseField("customers"), PAUSED);
  await group.pass(1);
  for (const { controls, changes } of replicas) {
    expect([controls.isPaused("erp.customers"), controls.isPaused("erp.orders"), changes()]).toEqual([true, false, 1]);
    expect(controls.pauses).toMatchObject([{ route: "customers", who: "ann", why: "wrong prices" }]);
  }
  await group.board.put(pauseField("customers"), RESUMED);
  await group.pass(1);
  expect(replicas.map(({ controls }) => controls.pauses)).toEqual([[], []]);
  expect(group.events).toEqual(["route-paused", "route-paused", "route-resumed", "route-resumed"]);
});

test("a replica that starts knows of a pause before anything is sent, also when it has to wait for Redis", async () => {
  await using group = new Group();
  await group.board.put(pauseField("customers"), PAUSED);
  group.board.isAway = true;
  const { controls } = await group.replica();
  await group.pass(5);
  expect(group.board.looks).toBe(0);
  group.board.isAway = false;
  await group.pass(1);
  expect(controls.isPaused("erp.customers")).toBe(true);
});

test("one command a second, and no other while nothing changes", async () => {
  await using group = new Group();
  await group.board.put(pauseField("customers"), PAUSED);
  await group.replica();
  await group.pass(30);
  expect([group.board.looks, group.board.writes]).toEqual([31, 1]);
});

test("while Redis is away what was read last counts", async () => {
  await using group = new Group();
  await group.board.put(pauseField("customers"), PAUSED);
  const { controls } = await group.replica();
  group.board.isAway = true;
  await group.pass(60);
  expect(controls.isPaused("erp.customers")).toBe(true);
});

test("what Redis forgets is written anew, and an old memory never brings a pause back that was lifted", async () => {
  await using group = new Group();
  await group.board.put(pauseField("customers"), PAUSED);
  const first = await group.replica();
  group.board.notes.clear();
  await group.pass(1);
  const late = await group.replica();
  expect([first, late].map(({ controls }) => controls.isPaused("erp.customers"))).toEqual([true, true]);

  const before = new Map(group.board.notes);
  group.clock.advance(10);
  await group.board.put(pauseField("customers"), RESUMED);
  await group.pass(1);
  group.board.notes.clear();
  for (const [field, note] of before) group.board.notes.set(field, note); // a replica took over that was behind
  await group.pass(2);
  expect([first, late].map(({ controls }) => controls.isPaused("erp.customers"))).toEqual([false, false]);
  expect(group.board.notes.get(pauseField("customers"))?.content).toEqual(RESUMED);
});

test("a pause in the configuration is one that nobody resumes here", async () => {
  await using group = new Group();
  const { controls } = await group.replica({ paused: "until the migration" });
  await group.board.put(pauseField("customers"), RESUMED);
  await group.pass(2);
  expect(controls.isPaused("erp.customers")).toBe(true);
  expect(controls.pauses).toEqual([
    { route: "customers", topic: "erp.customers", who: "the configuration", why: "until the migration", sinceMs: null },
  ]);
});

test("whoever starts with a larger number has accepted it for all, also for those that run with the smaller one", async () => {
  await using group = new Group();
  const old = await group.replica();
  await group.board.put(brakeField("deletions", "customers"), { state: "tripped", limit: 10, samples: ["7"] });
  await group.pass(1);
  expect(old.controls.brake.isStopped("erp.customers")).toBe(true);
  const restarted = await group.replica({ deletions: 100 });
  await group.pass(1);
  expect([old, restarted].map(({ controls }) => controls.brake.isStopped("erp.customers"))).toEqual([false, false]);
  expect(group.board.notes.get(brakeField("deletions", "customers"))?.content).toMatchObject({
    state: "accepted",
    limit: 100,
  });
});

test("a skip is taken up by one owner, tried until it can be done, and answered", async () => {
  await using group = new Group();
  const tried: string[] = [];
  const answers: SkipAnswer[] = ["busy", "busy", "done"];
  const skip = async (_: unknown, message: string): Promise<SkipAnswer> => {
    tried.push(message);
    return answers.shift() ?? "settled";
  };
  await group.replica({ skip });
  await group.replica({ skip });
  await group.board.put(skipField(PLACE), { state: "asked", who: "ann", why: "ticket 7" });
  await group.pass(1);
  expect(group.board.notes.get(skipField(PLACE))?.content).toEqual({ state: "taken", by: "a" });
  await group.pass(3);
  expect(group.board.notes.get(skipField(PLACE))?.content).toEqual({ state: "told", by: "a", answer: "done" });
  expect(tried).toEqual(Array(3).fill("ann: ticket 7"));
});

test("a skip whose time has passed is not taken up any more, and in the end its note goes", async () => {
  await using group = new Group();
  let tries = 0;
  await group.board.put(skipField(PLACE), { state: "asked", who: "ann", why: "" });
  group.clock.advance(16_000);
  await group.replica({
    skip: async () => {
      tries += 1;
      return "done";
    },
  });
  await group.pass(2);
  expect([tries, group.board.notes.size]).toEqual([0, 1]);
  group.clock.advance(600_000);
  await group.pass(2);
  expect([tries, group.board.notes.size]).toEqual([0, 0]);
});

test("what somebody else wrote there is passed over", async () => {
  await using group = new Group();
  group.board.notes.set(pauseField("customers"), { revision: 1, content: { state: "on fire" } });
  group.board.notes.set("skip ", { revision: 1, content: 7 });
  const { controls } = await group.replica();
  await group.pass(2);
  expect(controls.pauses).toEqual([]);
});
