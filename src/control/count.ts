/**
 * Counting for a brake, within an hour: in Redis for all replicas and over restarts, or without Redis in this process alone,
 * from zero. A key counts once an hour, however often it is tried.
 */
import { readFileSync } from "node:fs";
import type { Clock } from "../lib/clock.ts";
import type { RedisConnection } from "../lib/redis.ts";
import { boardKey } from "./board.ts";
import { asBrake, type BrakeKind, type BrakeNote, brakeField, type Note, readNote } from "./notes.ts";

export interface Counted {
  /** Of each key, in order: it is within the limit. */
  readonly within: readonly boolean[];
  /** As the brake stands now; null: nobody has written of it. */
  readonly note: Note<BrakeNote> | null;
}

export interface Count {
  /** Rejects when nobody can tell. */
  count(kind: BrakeKind, route: string, limit: number, keys: readonly string[]): Promise<Counted>;
}

/** An accepted number counts so long: long enough for what it was accepted for, and no standing permission. */
const ACCEPTED_FOR_MS = 86_400_000;

/** One command a call. */
export const redisCount = ({ client }: Pick<RedisConnection, "client">, prefix: string): Count => {
  client.defineCommand("sellSinkCount", { numberOfKeys: 2, lua: COUNT_LUA });
  const scripts = client as typeof client & Scripts;
  return {
    async count(kind, route, limit, keys) {
      const named = [`${prefix}:${kind}:${route}`, boardKey(prefix), brakeField(kind, route)];
      const [note, ...flags] = await scripts.sellSinkCount(...named, String(limit), String(ACCEPTED_FOR_MS), ...keys);
      return { within: flags.map((flag) => flag === 1), note: asBrake(readNote(String(note)) ?? undefined) };
    },
  };
};

interface Scripts {
  sellSinkCount(...keysAndArguments: string[]): Promise<readonly [note: string, ...flags: number[]]>;
}

const COUNT_LUA = readFileSync(new URL("./count.lua", import.meta.url), "utf8");

const HOUR_MS = 3_600_000;
const SAMPLES = 5;

export class LocalCount implements Count {
  readonly #clock: Clock;
  /** Monotonic time by ERP key, oldest first, by kind and route: never more keys than the limit. */
  readonly #counted = new Map<string, Map<string, number>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async count(kind: BrakeKind, route: string, limit: number, keys: readonly string[]): Promise<Counted> {
    const counted = this.#recent(`${kind} ${route}`);
    let note: Note<BrakeNote> | null = null;
    const within = keys.map((key) => {
      if (note !== null) return false;
      if (counted.has(key)) return true;
      if (counted.size < limit) {
        counted.set(key, this.#clock.monotonicMs());
        return true;
      }
      const samples = [...[...counted.keys()].slice(1 - SAMPLES), key];
      note = { revision: this.#clock.now(), content: { state: "tripped", limit, samples } };
      return false;
    });
    return { within, note };
  }

  #recent(name: string): Map<string, number> {
    const keys = this.#counted.get(name) ?? new Map<string, number>();
    this.#counted.set(name, keys);
    const sinceMs = this.#clock.monotonicMs() - HOUR_MS;
    for (const [key, atMs] of keys) {
      if (atMs > sinceMs) break;
      keys.delete(key);
    }
    return keys;
  }
}
