/**
 * One run: an ERP that writes, a broker, Sell, Redis, one to three real pipelines, and blows that fall on them. Faults end
 * after a while; then everything must come to rest, and what the ledgers say must hold.
 */
import { setImmediate } from "node:timers/promises";
import { Controls } from "../../src/control/controls.ts";
import { partitionName, type TopicPartition } from "../../src/domain/record.ts";
import type { ErrantRecordReporter } from "../../src/domain/stages.ts";
import { Pipeline } from "../../src/pipeline/pipeline.ts";
import type { Emit } from "../../src/telemetry/events.ts";
import { Broker } from "./broker.ts";
import { Dice } from "./dice.ts";
import { createDecoder, createMapper, type ErpRecord, isDoomed, isHopeless, keyOf, NOBODY, type Wish } from "./erp.ts";
import { type Faults, NO_FAULTS, type Profile, rollFaults } from "./faults.ts";
import { Ledger } from "./ledger.ts";
import { People } from "./people.ts";
import { Redis } from "./redis.ts";
import { INDEX_LAG_MS, LATE_MAX_MS, Sell, TIMEOUT_MS } from "./sell.ts";
import { SimSource } from "./source.ts";
import { Process, Time } from "./time.ts";

const STOP_MAX_MS = 10_000;
const REST_MAX_MS = 1_800_000;
const PROCESSES_MAX = 3;
/** Most errors only call something off, and their stacks would cost a tenth of a life. */
const STACK_LINES = Number(process.env.SIM_STACK ?? 0);

interface Replica {
  readonly process: Process;
  readonly source: SimSource;
  readonly pipeline: Pipeline;
  isStopping: boolean;
}

export interface Result {
  readonly seed: number;
  readonly faults: Faults;
  readonly failure: string | null;
  readonly guards: ReadonlyMap<string, number>;
  readonly trace: readonly string[];
}

/**
 * `a-b-a`: the values of every key take turns, so that each change but the first two repeats an older one. `people`: somebody
 * pauses, skips and accepts all the time.
 */
export type Story = "any" | "a-b-a" | "people";

export class World {
  readonly #seed: number;
  readonly #story: Story;
  readonly #turns = new Map<string, number>();
  readonly #dice: Dice;
  readonly #time = new Time();
  readonly #ledger = new Ledger();
  readonly #broker: Broker;
  readonly #sell: Sell;
  readonly #redis: Redis;
  readonly #shape: Shape;
  readonly #trace: string[] = [];
  readonly #offsets = new Map<string, bigint>();
  #faults: Faults;
  /** Every request gets an answer. */
  readonly #isSure: boolean;
  #replicas: Replica[] = [];
  #people: People | null = null;
  #deadLettersAreDown = false;
  /** A hand-over does not wait for ever: both owners may write what the topic did not take at once. */
  readonly #refusedLetters = new Set<number>();
  #births = 0;
  #hasTrouble = true;
  #starting = 0;

  constructor(seed: number, story: Story = "any") {
    this.#seed = seed;
    this.#story = story;
    this.#dice = new Dice(seed);
    this.#faults = rollFaults(this.#dice);
    this.#isSure = this.#faults.unknown === 0;
    const shape = rollShape(this.#dice, this.#faults.profile);
    this.#shape = story === "a-b-a" ? { ...shape, isStamped: false } : shape;
    const numbers = Array.from({ length: this.#shape.partitions }, (_, i) => i);
    const topics = { customers: numbers, orders: numbers };
    this.#broker = new Broker(topics, this.#time, (partition, offset) => {
      this.#note(`commit ${partitionName(partition)} ${offset}`);
      this.#ledger.committed(partition, offset);
    });
    this.#redis = new Redis(this.#time, this.#dice);
    if (story === "people") this.#people = this.#somebody();
    this.#sell = new Sell({
      ...{ time: this.#time, dice: this.#dice, ledger: this.#ledger, ...this.#shape },
      faults: () => this.#faults,
      note: (what) => this.#note(what),
    });
  }

  async run(): Promise<Result> {
    const usual = Error.stackTraceLimit;
    Error.stackTraceLimit = STACK_LINES;
    try {
      return await this.#live();
    } finally {
      Error.stackTraceLimit = usual;
    }
  }

  async #live(): Promise<Result> {
    const { replicas, troubleMs } = this.#shape;
    this.#note(JSON.stringify({ ...this.#shape, ...this.#faults }));
    this.#writeRecords();
    for (let i = 0; i < replicas; i++) this.#startReplica();
    this.#nextBlow();
    this.#people?.start();
    const deadlineMs = this.#time.nowMs + troubleMs;
    await this.#time.run(() => this.#ledger.failure !== null, deadlineMs);
    this.#calmDown();
    const isAtRest = await this.#time.run(
      () => this.#ledger.failure !== null || this.#isAtRest(),
      this.#time.nowMs + REST_MAX_MS,
    );
    if (!isAtRest) this.#ledger.fail(`no rest: ${this.#unrest()}`);
    if (this.#ledger.failure === null) await this.#end();
    const { failure, guards } = this.#ledger;
    if (failure !== null) for (const { process } of this.#replicas) process.kill();
    return { seed: this.#seed, faults: this.#faults, failure, guards, trace: this.#trace };
  }

  // --- the ERP -------------------------------------------------------------------------------------------------------------

  #writeRecords(): void {
    const { records, troubleMs } = this.#shape;
    let atMs = 0;
    for (let index = 0; index < records; index++) {
      atMs += this.#dice.chance(0.5) ? 0 : this.#dice.between(0, (3 * troubleMs) / records);
      this.#time.after(Math.min(atMs, troubleMs), () => this.#append());
    }
  }

  #append(): void {
    const dice = this.#dice;
    const index = this.#ledger.records.length;
    const isOrder = dice.chance(0.4);
    const number = dice.between(0, this.#shape.keys - 1);
    const partition = {
      topic: isOrder ? "orders" : "customers",
      partition: number % this.#shape.partitions,
    };
    const kind = dice.chance(0.03) ? "errant" : dice.chance(0.03) ? "skip" : "wishes";
    const wishes = kind === "wishes" ? this.#wishes(index, number, isOrder) : [];
    const offset = (this.#offsets.get(partitionName(partition)) ?? 0n) + (dice.chance(0.1) ? 2n : 0n);
    this.#offsets.set(partitionName(partition), offset + 1n);
    const record: ErpRecord = { index, partition, offset, kind, wishes, isBackfill: dice.chance(0.2) };
    this.#note(`record ${index} ${partitionName(partition)}@${offset} ${kind} ${JSON.stringify(wishes)}`);
    this.#ledger.appended(record);
    const raw = { key: Buffer.from(String(number)), value: Buffer.from(String(index)), headers: [] };
    this.#broker.append(partition, { ...raw, offset, timestampMs: this.#time.nowMs });
  }

  #wishes(index: number, number: number, isOrder: boolean): readonly Wish[] {
    const dice = this.#dice;
    const one = (entity: Wish["entity"], key: string): Wish => {
      const action = entity !== "accounts" && dice.chance(0.15) ? "delete" : "upsert";
      const isBad = action === "upsert" && dice.chance(this.#shape.bad); // nothing of a delete can be bad
      const fields = { name: this.#nameOf(key), ...(this.#shape.isStamped && { stamp: index }) };
      return { entity, key, action, fields, parent: null, bad: isBad ? dice.pick(["item", "batch"]) : "no" };
    };
    if (isOrder) {
      const wish = one("deals", `d${number}`);
      const parent = dice.chance(this.#shape.orphans) ? NOBODY : dice.chance(0.7) ? this.#aParent() : null;
      return [wish.action === "delete" ? wish : { ...wish, parent }];
    }
    const account = one("accounts", `a${number}`);
    return dice.chance(this.#shape.pairs) ? [account, one("leads", `l${number}`)] : [account];
  }

  #nameOf(key: string): string {
    if (this.#story === "any") return this.#dice.pick(["x", "y"]);
    const turn = this.#turns.get(key) ?? 0;
    this.#turns.set(key, turn + 1);
    return turn % 2 === 0 ? "x" : "y";
  }

  /** Mostly one that is there already; one that is not there yet will come. */
  #aParent(): string | null {
    const number = this.#dice.between(0, this.#shape.keys - 1);
    const exists = this.#ledger.records.some(({ wishes }) =>
      wishes.some((wish) => wish.key === `a${number}` && !isHopeless(wish)),
    );
    if (!exists && this.#ledger.records.length > this.#shape.records - this.#shape.keys) return null;
    if (!exists) this.#promised.add(number);
    return `a${number}`;
  }

  readonly #promised = new Set<number>();

  // --- replicas ------------------------------------------------------------------------------------------------------------

  #startReplica(): void {
    const process = new Process(`p${++this.#births}`, this.#time);
    const { batch, fetchMax } = this.#shape;
    const source = new SimSource({
      ...{ broker: this.#broker, process, dice: this.#dice, fetchMax },
      faults: () => this.#faults,
    });
    const stages = {
      source,
      decoder: createDecoder(this.#ledger.records),
      mapper: createMapper(this.#ledger.records, this.#shape.hasVersions),
      gate: this.#redis.gate(process),
      target: this.#sell.target(process),
      store: this.#redis.store(process),
      deadLetters: this.#deadLetters(process),
    };
    const options = {
      ...batch,
      nonce: process.name,
      accountMark: "account",
      startFrom: () => "earliest" as const,
      originsOf: () => [],
      indexLagMs: INDEX_LAG_MS,
      lateApplyMaxMs: LATE_MAX_MS,
      timeoutMs: TIMEOUT_MS,
      massFailure: { outOf: 100, moreThan: 100 },
      backfills: new Set<string>(),
      replay: null,
    };
    const controls = this.#controlsOf(process);
    const pipeline = new Pipeline(stages, options, {
      ...(controls !== null && { controls }),
      clock: process.clock,
      random: this.#dice.random,
      emit: (name) => {
        if (COUNTED.has(name)) this.#ledger.saw(name);
      },
      onFatal: (error) => this.#ledger.fail(`${process.name} gave up: ${error.stack ?? error.message}`),
    });
    this.#replicas.push({ process, source, pipeline, isStopping: false });
    this.#note(`${process.name} starts`);
    if (controls === null) void pipeline.start();
    else void controls.open(new AbortController().signal).then(() => pipeline.start());
  }

  // --- people --------------------------------------------------------------------------------------------------------------

  #somebody(): People {
    const { partitions } = this.#broker;
    return new People({
      ...{ time: this.#time, dice: this.#dice, partitions },
      // Mostly the one that holds its partition.
      pickRecord: () => {
        const { topic, partition } = this.#dice.pick(partitions);
        const from = this.#broker.stored({ topic, partition })?.offset ?? 0n;
        const open = this.#ledger.records.filter(
          (record) =>
            record.partition.topic === topic && record.partition.partition === partition && record.offset >= from,
        );
        const record = this.#dice.chance(0.7) ? open[0] : open.at(this.#dice.between(-3, -1));
        return record === undefined || record.kind === "skip" ? null : record;
      },
      mayBeSkipped: ({ index }) => {
        this.#ledger.saw("skip");
        this.#ledger.mayBeSkipped.add(index);
      },
      note: (what) => this.#note(what),
    });
  }

  #controlsOf({ name, clock }: Process): Controls | null {
    if (this.#people === null) return null;
    const { routes, board, count } = this.#people;
    const emit: Emit = (event) => this.#ledger.saw(event);
    return new Controls({ routes, board, count, redis: null, name, clock, emit });
  }

  #deadLetters(process: Process): ErrantRecordReporter {
    return {
      report: async (record, errant, _attempts, signal) => {
        for (;;) {
          signal.throwIfAborted();
          const isStored = await process.call(this.#dice.between(1, 300), () => {
            if (this.#deadLettersAreDown) return false;
            this.#note(`${process.name} buries ${record.value}`);
            this.#ledger.deadLettered(Number(record.value?.toString()));
            if (errant.reason === "skipped") this.#ledger.saw("taken away");
            return true;
          });
          if (isStored) return;
          this.#ledger.saw("dead letter refused");
          this.#refusedLetters.add(Number(record.value?.toString()));
          await process.clock.sleep(1_000, signal);
        }
      },
    };
  }

  get #running(): readonly Replica[] {
    return this.#replicas.filter(({ process, isStopping }) => process.state === "running" && !isStopping);
  }

  async #stop(replica: Replica): Promise<void> {
    const { process, pipeline } = replica;
    replica.isStopping = true;
    const startedMs = this.#time.nowMs;
    this.#note(`${process.name} stops`);
    await pipeline.stop();
    const tookMs = this.#time.nowMs - startedMs;
    this.#note(`${process.name} stopped after ${tookMs}`);
    if (tookMs > STOP_MAX_MS) this.#ledger.fail(`${process.name} took ${tookMs} ms to stop`);
    if (process.state === "running") process.kill(); // whatever it would still do must not matter
    this.#replicas = this.#replicas.filter((other) => other !== replica);
  }

  // --- blows ---------------------------------------------------------------------------------------------------------------

  #nextBlow(): void {
    const { blowEveryMs, profile } = this.#faults;
    const blows = BLOWS[profile];
    if (!Number.isFinite(blowEveryMs)) return;
    this.#time.after(this.#dice.random() * 2 * blowEveryMs, () => {
      if (!this.#hasTrouble) return;
      this.#blow(this.#dice.pick(blows));
      this.#nextBlow();
    });
  }

  #blow(kind: Blow): void {
    const dice = this.#dice;
    const running = this.#running;
    const replica = running.length > 0 ? dice.pick(running) : null;
    if (replica === null && kind !== "grow") return;
    this.#note(`${kind} ${replica?.process.name}`);
    this.#ledger.saw(kind);
    switch (kind) {
      case "grow":
        if (this.#replicas.length < PROCESSES_MAX) this.#startReplica();
        return;
      case "restart":
        if (replica !== null) void this.#stop(replica).then(() => this.#startReplica());
        return;
      case "shrink":
        if (replica !== null && running.length > 1) void this.#stop(replica);
        return;
      case "rebalance":
        return this.#broker.rebalance();
      case "kill":
        if (replica !== null) this.#kill(replica);
        return;
      case "freeze":
        return replica?.process.state === "running"
          ? this.#freeze(replica, dice.pick(FREEZES_MS[this.#faults.profile]))
          : undefined;
      case "crash":
        return replica?.source.crash();
      case "redis-down":
        this.#redis.isDown = true;
        this.#time.after(dice.between(500, 15_000), () => {
          this.#redis.isDown = false;
        });
        return;
      case "redis-forgets":
        return this.#redis.forget();
      case "redis-fails-over":
        return this.#redis.failOver(dice.between(0, 5_000));
      case "dead-letters-down":
        this.#deadLettersAreDown = true;
        this.#time.after(dice.between(500, 15_000), () => {
          this.#deadLettersAreDown = false;
        });
        return;
    }
  }

  #kill(replica: Replica): void {
    const { process, source } = replica;
    process.kill();
    this.#replicas = this.#replicas.filter((other) => other !== replica);
    const memberId = source.memberId;
    this.#starting += 1;
    this.#time.after(this.#dice.pick([300, 3_000, 25_000]), () => {
      // The client id proves the old process dead: the new one takes it out of the group.
      if (memberId !== null && this.#dice.chance(0.5)) this.#broker.leave(memberId);
      this.#starting -= 1;
      this.#startReplica();
    });
  }

  #freeze({ process }: Replica, ms: number): void {
    process.freeze();
    this.#time.after(ms, () => {
      this.#note(`${process.name} goes on`);
      process.thaw();
    });
  }

  #calmDown(): void {
    this.#hasTrouble = false;
    this.#faults = { ...NO_FAULTS, profile: this.#faults.profile };
    this.#note("calm");
    void this.#people?.calmDown();
    // Parents that children wait for and that were not written by chance.
    for (const number of this.#promised) {
      const isThere = this.#ledger.records.some(({ wishes }) =>
        wishes.some((wish) => wish.key === `a${number}` && !isHopeless(wish)),
      );
      if (!isThere) this.#appendParent(number);
    }
  }

  #appendParent(number: number): void {
    const index = this.#ledger.records.length;
    const partition = { topic: "customers", partition: number % this.#shape.partitions };
    const offset = this.#offsets.get(partitionName(partition)) ?? 0n;
    this.#offsets.set(partitionName(partition), offset + 1n);
    const fields = { name: "late", ...(this.#shape.isStamped && { stamp: index }) };
    const wish: Wish = { entity: "accounts", key: `a${number}`, action: "upsert", fields, parent: null, bad: "no" };
    this.#ledger.appended({ index, partition, offset, kind: "wishes", wishes: [wish], isBackfill: false });
    const raw = { key: null, value: Buffer.from(String(index)), headers: [] };
    this.#broker.append(partition, { ...raw, offset, timestampMs: this.#time.nowMs });
  }

  // --- the end -------------------------------------------------------------------------------------------------------------

  #isCommitted(partition: TopicPartition): boolean {
    return (this.#broker.stored(partition)?.offset ?? 0n) >= this.#broker.end(partition);
  }

  #isAtRest(): boolean {
    if (this.#running.length === 0 && this.#starting === 0 && this.#replicas.length === 0) this.#startReplica();
    return this.#broker.partitions.every((partition) => this.#isCommitted(partition));
  }

  #unrest(): string {
    const open = this.#broker.partitions.filter((partition) => !this.#isCommitted(partition));
    return open
      .map(
        (partition) =>
          `${partitionName(partition)} ${this.#broker.stored(partition)?.offset} of ${this.#broker.end(partition)}`,
      )
      .join(", ");
  }

  async #end(): Promise<void> {
    const isGentle = this.#people === null && !["frozen", "chaos"].includes(this.#faults.profile);
    const isClean = isGentle && (this.#shape.pairs === 0 || this.#births === 1);
    const ledger = this.#ledger;
    await this.#time.run(() => false, this.#time.nowMs + Math.max(LATE_MAX_MS, ...FREEZES_MS[this.#faults.profile])); // the frozen go on, the late arrive
    for (const record of ledger.records)
      if (!ledger.isSettled(record)) ledger.fail(`record ${record.index} is not settled`);
    for (const { process, pipeline } of this.#running) {
      const { windowRecords, windowBytes } = await pipeline.snapshot();
      if (windowRecords !== 0 || windowBytes !== 0) ledger.fail(`${process.name} still holds ${windowRecords} records`);
    }
    let left = this.#replicas.length;
    for (const replica of this.#replicas) if (!replica.isStopping) void this.#stop(replica).finally(() => (left -= 1));
    await this.#time.run(() => this.#replicas.length === 0, this.#time.nowMs + 60_000);
    if (this.#replicas.length > 0) ledger.fail(`${left} stops never ended`);
    await setImmediate();
    this.#checkSell();
    this.#checkDeadLetters(
      isClean ||
        (this.#people === null &&
          this.#births === 1 &&
          this.#faults.profile !== "frozen" &&
          this.#faults.profile !== "chaos"),
    );
    if (isClean && this.#sell.regressions > 0) ledger.fail(`${this.#sell.regressions} steps back in time`);
    if (isClean && this.#isSure && this.#sell.duplicates > 0) ledger.fail(`${this.#sell.duplicates} duplicates`);
  }

  #checkSell(): void {
    const dump = this.#sell.dump();
    for (const [key, wanted] of this.#ledger.oracle()) {
      const found = dump.get(key) ?? [];
      if (found.length > 1) this.#ledger.fail(`${key} has a twin: ${found.join(" and ")}`);
      else if (!wanted.includes(found[0] ?? null))
        this.#ledger.fail(`${key} ended as ${found[0] ?? null} instead of ${wanted.map(String).join(" or ")}`);
    }
  }

  #checkDeadLetters(areExact: boolean): void {
    const ledger = this.#ledger;
    const { deadLetters, records } = ledger;
    const twice = deadLetters.find(
      (index, at) =>
        deadLetters.indexOf(index) !== at && !this.#refusedLetters.has(index) && !ledger.mayBeSkipped.has(index),
    );
    if (areExact && twice !== undefined) this.#ledger.fail(`record ${twice} became two dead letters`);
    for (const record of records.filter(isDoomed)) {
      if (!deadLetters.includes(record.index) && !this.#isSuperseded(record))
        this.#ledger.fail(`record ${record.index} is missing among the dead letters`);
    }
  }

  /** A good wish after a hopeless one may have taken its place before Sell ever saw it. */
  #isSuperseded({ index, kind, wishes }: ErpRecord): boolean {
    return (
      kind === "wishes" &&
      wishes.every(
        (wish) =>
          !isHopeless(wish) ||
          this.#ledger.records.some(
            (later) => later.index > index && later.wishes.some((other) => keyOf(other) === keyOf(wish)),
          ),
      )
    );
  }

  #note(what: string): void {
    this.#trace.push(`${this.#time.nowMs} ${what}`);
  }
}

const COUNTED = new Set([
  "no-op",
  "stale-skipped",
  "late-wait",
  "commit-refused",
  "reference-parked",
  "permit-unused",
  "outcome-unknown",
]);

const ROLLING = ["restart", "grow", "shrink", "rebalance"] as const;
const OUTAGES = ["redis-down", "redis-forgets", "redis-fails-over", "dead-letters-down"] as const;
const DEATHS = ["kill", "freeze", "crash"] as const;
type Blow = (typeof ROLLING)[number] | (typeof OUTAGES)[number] | (typeof DEATHS)[number];
const BLOWS: Readonly<Record<Profile, readonly Blow[]>> = {
  calm: [],
  rolling: ROLLING,
  unsure: OUTAGES,
  frozen: ["freeze", "freeze", "freeze", "kill", "grow"],
  chaos: [...ROLLING, ...OUTAGES, ...DEATHS, ...DEATHS],
};

const FREEZES_MS = {
  calm: [0],
  rolling: [0],
  unsure: [0],
  frozen: [30_000, 40_000, 50_000],
  chaos: [500, 15_000, 40_000],
};

type Shape = ReturnType<typeof rollShape>;

const rollShape = (dice: Dice, profile: Profile) => {
  const orphans = dice.chance(0.1) ? 0.05 : 0;
  return {
    partitions: dice.between(1, 3),
    replicas: dice.between(1, 3),
    records: dice.pick([10, 40, 80]),
    keys: dice.pick([1, 2, 4, 8]),
    bad: dice.pick([0, 0, 0.1, 0.3]),
    orphans,
    /** Of records that write two keys. One half settled, such a record comes again as a whole, and all behind it. */
    pairs: dice.pick([0, 0.3]),
    isStamped: dice.chance(0.5),
    hasVersions: dice.chance(0.5),
    byId: dice.chance(0.5),
    fetchMax: dice.pick([1, 5, 20]),
    troubleMs: profile === "frozen" ? 100_000 : dice.pick([5_000, 10_000, 20_000, 40_000]),
    batch: {
      maxItems: dice.pick([1, 2, 5]),
      lingerMs: dice.pick([0, 100, 1_000]),
      maxInFlight: dice.between(1, 4),
      maxRecords: dice.pick([10, 40, 1_000]),
      maxBytes: 1_000_000,
      maxSpan: dice.pick([20, 200]),
      parkTimeoutMs: 120_000,
    },
  };
};
