/** Bulk requests with an Idempotency-Key: the same request gets the same reply again, without being applied again. */
import { hash } from "node:crypto";
import type { Clock } from "../lib/clock.ts";
import type { Reply } from "./reply.ts";

interface Known {
  readonly bodyHash: string;
  readonly atMs: number;
  /** Null while the first request is in progress. */
  readonly reply: Reply | null;
}

const REMEMBERED_MS = 24 * 3_600_000;
/** Replies hold whole records: only so many are kept, newest first. */
const MAX_KEYS = 1_000;

export class IdempotencyKeys {
  readonly #clock: Clock;
  #known = new Map<string, Known>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** `first`: go on, then `finish` or `abandon`. `repeated`: send this. The others are a 409 and a 422. */
  begin(
    key: string,
    body: string,
  ): { status: "first" | "in-progress" | "other-body" } | { status: "repeated"; reply: Reply } {
    const bodyHash = hash("sha1", body, "hex");
    const known = this.#known.get(key);
    if (known === undefined || this.#clock.monotonicMs() - known.atMs >= REMEMBERED_MS) {
      const oldest = this.#known.keys().next();
      if (this.#known.size >= MAX_KEYS && !oldest.done) this.#known.delete(oldest.value);
      this.#known.set(key, { bodyHash, atMs: this.#clock.monotonicMs(), reply: null });
      return { status: "first" };
    }
    if (known.bodyHash !== bodyHash) return { status: "other-body" };
    return known.reply === null ? { status: "in-progress" } : { status: "repeated", reply: known.reply };
  }

  finish(key: string, reply: Reply): void {
    const known = this.#known.get(key);
    if (known !== undefined) this.#known.set(key, { ...known, reply });
  }

  /** Nothing was applied: the key is free again. */
  abandon(key: string): void {
    this.#known.delete(key);
  }

  reset(): void {
    this.#known = new Map();
  }
}
