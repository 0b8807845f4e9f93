/**
 * A brake on mass deletion and creation: a truncated table or a wrong key must not empty or flood the CRM before a person has
 * looked. Beyond its number an hour a route's topic stops, nothing of it is lost or committed, until the configuration names
 * a larger number. Counted in each process.
 */
import type { Mutation } from "./domain/mutation.ts";
import type { Clock } from "./lib/clock.ts";

/** Records an hour; null: any number. */
export interface BrakeLimits {
  readonly deletions: number | null;
  readonly creations: number | null;
}

export interface Trip {
  readonly route: string;
  readonly topic: string;
  readonly kind: keyof BrakeLimits;
  readonly limit: number;
  /** A few of the last keys, to be looked up by a person. */
  readonly samples: readonly string[];
}

const HOUR_MS = 3_600_000;
const SAMPLES = 5;

export class Brake {
  readonly #limitsOf: (route: string) => BrakeLimits;
  readonly #clock: Clock;
  readonly #onTrip: (trip: Trip) => void;
  /** Monotonic time by ERP key, oldest first, by kind and route: never more keys than the limit. */
  readonly #counted = new Map<string, Map<string, number>>();
  readonly #stopped = new Set<string>();

  constructor(limitsOf: (route: string) => BrakeLimits, clock: Clock, onTrip: (trip: Trip) => void) {
    this.#limitsOf = limitsOf;
    this.#clock = clock;
    this.#onTrip = onTrip;
  }

  isStopped(topic: string): boolean {
    return this.#stopped.has(topic);
  }

  /** Asked before a deletion is sent; the same record may be asked for again. False: the topic has stopped. */
  mayDelete(mutation: Mutation): boolean {
    return this.#admit("deletions", mutation);
  }

  /** Whether a write will create is known only afterwards: what is on the wire by then still goes through. */
  created(mutation: Mutation): void {
    this.#admit("creations", mutation);
  }

  #admit(kind: keyof BrakeLimits, { route, key, record }: Mutation): boolean {
    const limit = this.#limitsOf(route)[kind];
    if (limit === null) return true;
    const keys = this.#recent(`${kind} ${route}`);
    if (keys.has(key)) return true;
    if (keys.size < limit) {
      keys.set(key, this.#clock.monotonicMs());
      return true;
    }
    const { topic } = record.position;
    if (!this.#stopped.has(topic)) {
      this.#stopped.add(topic);
      this.#onTrip({ route, topic, kind, limit, samples: [...keys.keys(), key].slice(-SAMPLES) });
    }
    return false;
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
