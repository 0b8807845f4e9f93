/**
 * Faults in random order, on three replicas that work through everything an ERP can write; then the ledgers must agree.
 * Timing makes no two runs alike, so the faults of a run are printed when it fails. More of them: NEMESIS_STEPS=40.
 */
import { expect, test } from "vitest";
import { systemClock } from "../../src/lib/clock.ts";
import type { FaultOptions } from "../../src/sandbox/index.ts";
import { busiest, CLEAN, check, repeated } from "../support/checker.ts";
import type { Replica } from "../support/replica.ts";
import { guard, until } from "../support/until.ts";
import { QUOTA, SESSION_MS, World } from "../support/world.ts";

const STEPS = Number(process.env["NEMESIS_STEPS"] ?? 5);

const REPLIES: readonly FaultOptions[] = [
  { reply: "cut" },
  { reply: "reset" },
  { reply: "silence" },
  { apply: "none", reply: "silence" },
  { apply: "late", lateMs: 3_000, reply: "silence" },
  { apply: "half", reply: { status: 502 } },
  { reply: { status: 503 } },
  { verdicts: "shuffled" },
];

const oneOf = <T>(list: readonly T[]): T => {
  const [first] = list;
  const chosen = list[Math.floor(Math.random() * list.length)] ?? first;
  if (chosen === undefined) throw new Error("nothing to choose from");
  return chosen;
};

class Nemesis {
  readonly done: string[] = [];
  readonly #world: World;
  #replicas: Replica[] = [];
  #born = 0;

  constructor(world: World) {
    this.#world = world;
  }

  async begin(): Promise<void> {
    await Promise.all([this.#add(), this.#add(), this.#add()]);
  }

  async step(): Promise<void> {
    const [name, act] = oneOf(Object.entries(this.#acts));
    const victim = oneOf(this.#replicas);
    this.done.push(`${name} ${victim.name}`);
    await act(victim);
  }

  readonly #acts: Readonly<Record<string, (victim: Replica) => Promise<void>>> = {
    kill: async (victim) => {
      this.#world.crash(victim);
      await this.#replace(victim);
    },
    stop: async (victim) => {
      const { code, tookMs } = await victim.stop();
      expect(code, victim.tail()).toBe(0);
      expect(tookMs).toBeLessThan(10_000);
      await this.#replace(victim);
    },
    freeze: async (victim) => {
      victim.kill("SIGSTOP");
      this.#world.crashed(victim);
      await systemClock.sleep(Math.random() * 1.5 * SESSION_MS); // of any length: there is nothing to wait for
      victim.kill("SIGCONT");
    },
    spoil: async () => {
      const faults = [oneOf(REPLIES), oneOf(REPLIES)].map((fault) => ({ match: { method: "POST" }, ...fault }));
      this.#world.sandbox.script(faults);
      await until(() => this.#world.sandbox.summary().faultsPending === 0, "the faults are met");
    },
    throttle: async () => {
      const { sandbox } = this.#world;
      const before = sandbox.log().filter(({ refused }) => refused).length;
      sandbox.setLimit(1);
      await until(() => sandbox.log().filter(({ refused }) => refused).length > before, "a 429");
      sandbox.setLimit(QUOTA.limit);
    },
  };

  async #replace(victim: Replica): Promise<void> {
    this.#replicas = this.#replicas.filter((other) => other !== victim);
    await this.#add();
  }

  async #add(): Promise<void> {
    this.#replicas.push(await this.#world.start(`r${++this.#born}`));
  }
}

/** Updates all the time, of some customers; now and then deletes, bad versions, and orders before their customers. */
const busyErp = (world: World) => {
  const stop = new AbortController();
  const run = async (): Promise<void> => {
    for (let version = 2; !stop.signal.aborted; version++) {
      const first = 1 + 20 * (version % 6);
      await world.writeCustomers(first, first + 19, version);
      if (version % 4 === 0) await world.writeOrders(first, first + 19, version);
      if (version % 5 === 0) await world.writeCustomers(200, 210, version);
      if (version % 7 === 0) await world.deleteCustomers(200, 210);
      if (version % 9 === 0) await world.writeNamelessCustomer(first + 3);
      await systemClock.sleep(250, stop.signal).catch(() => {});
    }
  };
  const running = run();
  return {
    async [Symbol.asyncDispose]() {
      stop.abort();
      await running;
    },
  };
};

test(`${STEPS} random faults on three replicas: nothing lost, nothing stale, nothing repeated but unknown outcomes`, async () => {
  const rate = { windows: [{ type: "sliding-log" as const, ...QUOTA }], headers: "full" as const };
  await using world = await World.create({ sandbox: { rate, settings: { indexLagMs: 0 } } });
  await world.writeOrders(501, 520);
  await world.writeCustomers(1, 120);
  const nemesis = new Nemesis(world);
  await nemesis.begin();
  {
    await using _erp = busyErp(world);
    for (let step = 0; step < STEPS; step++) await nemesis.step();
  }
  await world.writeCustomers(501, 520);
  await world.drained();
  await systemClock.sleep(4_000); // what is applied late is so within this
  const ledgers = await world.ledgers();
  const told = nemesis.done.join(", ");
  expect(check(ledgers), told).toEqual(CLEAN);
  const admitted = ledgers.requests.filter(({ refused }) => !refused);
  expect(busiest(admitted, QUOTA.perMs), told).toBeLessThanOrEqual(QUOTA.limit);
  guard(STEPS < 20 || repeated(ledgers) > 0, "no fault had any effect");
}, 1_200_000);
