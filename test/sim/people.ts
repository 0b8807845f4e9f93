/** People at the board: they pause routes and lift that again, take records away, and look when a brake has stopped a topic. */
import type { Controls } from "../../src/control/controls.ts";
import type { Count, Counted } from "../../src/control/count.ts";
import { asBrake, type BrakeNote, brakeField, type Note, pauseField, skipField } from "../../src/control/notes.ts";
import { partitionName, type TopicPartition } from "../../src/domain/record.ts";
import { MemoryBoard } from "../support/memory-board.ts";
import type { Dice } from "./dice.ts";
import type { ErpRecord } from "./erp.ts";
import { EPOCH_MS, type Time } from "./time.ts";

export interface PeopleDeps {
  readonly time: Time;
  readonly dice: Dice;
  readonly partitions: readonly TopicPartition[];
  /** One that is not committed yet; null: there is none now. */
  readonly pickRecord: () => ErpRecord | null;
  readonly mayBeSkipped: (record: ErpRecord) => void;
  readonly note: (what: string) => void;
}

const WHO = { who: "ann" } as const;
/** Deletions an hour. */
const LIMIT = 2;
const EVERY_MS = 3_000;
const PAUSE_MS = 20_000;

export class People {
  readonly board: MemoryBoard;
  readonly #deps: PeopleDeps;
  #areDone = false;

  constructor(deps: PeopleDeps) {
    this.#deps = deps;
    this.board = new MemoryBoard({ now: () => EPOCH_MS + deps.time.nowMs });
  }

  /** The routes of the simulation are named for their partitions. */
  get routes(): ConstructorParameters<typeof Controls>[0]["routes"] {
    return this.#deps.partitions.map((partition) => ({
      name: partitionName(partition),
      topic: partition.topic,
      paused: null,
      brake: { deletions: LIMIT, creations: null },
    }));
  }

  /** By the rules of src/control/count.lua, but that nothing is forgotten after an hour. */
  get count(): Count {
    return { count: async (kind, route, limit, keys) => this.#count(brakeField(kind, route), limit, keys) };
  }

  readonly #counted = new Map<string, Set<string>>();

  async #count(field: string, limit: number, keys: readonly string[]): Promise<Counted> {
    const counted = this.#counted.get(field) ?? new Set<string>();
    this.#counted.set(field, counted);
    let note = this.#brake(field);
    const most = note?.content.state === "accepted" ? Number.POSITIVE_INFINITY : limit;
    const within: boolean[] = [];
    for (const key of keys) {
      const isWithin = note?.content.state !== "tripped" && (counted.has(key) || counted.size < most);
      within.push(isWithin);
      if (isWithin) counted.add(key);
      else if (note?.content.state !== "tripped") {
        await this.board.put(field, { state: "tripped", limit, samples: [key] });
        this.#deps.note(`${field} trips`);
        note = this.#brake(field);
      }
    }
    return { within, note };
  }

  #brake(field: string): Note<BrakeNote> | null {
    return asBrake(this.board.notes.get(field));
  }

  start(): void {
    const { time, dice } = this.#deps;
    time.after(dice.random() * EVERY_MS, () => {
      if (this.#areDone) return;
      void this.#act();
      this.start();
    });
  }

  async #act(): Promise<void> {
    const { dice } = this.#deps;
    switch (dice.pick(["pause", "skip", "skip", "accept"] as const)) {
      case "pause":
        return this.#pause();
      case "skip":
        return this.#skip();
      case "accept":
        return this.#accept();
    }
  }

  async #pause(): Promise<void> {
    const { time, dice, partitions, note } = this.#deps;
    const route = partitionName(dice.pick(partitions));
    note(`pause ${route}`);
    await this.board.put(pauseField(route), { state: "paused", why: "a test", ...WHO });
    time.after(dice.random() * PAUSE_MS, () => void this.#resume(route));
  }

  async #resume(route: string): Promise<void> {
    this.#deps.note(`resume ${route}`);
    await this.board.put(pauseField(route), { state: "resumed", ...WHO });
  }

  async #skip(): Promise<void> {
    const record = this.#deps.pickRecord();
    if (record === null) return;
    this.#deps.note(`skip ${record.index}`);
    this.#deps.mayBeSkipped(record);
    await this.board.put(skipField({ ...record.partition, offset: record.offset }), {
      ...{ state: "asked", why: "a test", ...WHO },
    });
  }

  async #accept(): Promise<void> {
    for (const [field, note] of this.board.notes) {
      if (!field.startsWith("brake ") || asBrake(note)?.content.state !== "tripped") continue;
      this.#deps.note(`accept ${field}`);
      await this.board.put(field, { state: "accepted", limit: null, ...WHO });
    }
  }

  /** They lift what they paused, and look after brakes until the end. */
  async calmDown(): Promise<void> {
    this.#areDone = true;
    for (const { name } of this.routes) await this.#resume(name);
    await this.#lookAfterBrakes();
  }

  async #lookAfterBrakes(): Promise<void> {
    await this.#accept();
    this.#deps.time.after(EVERY_MS, () => void this.#lookAfterBrakes());
  }
}
