/** What the server said and the limiter has not heard yet: it goes along with the next question, so that it costs none. */
import type { Announced, Throttle } from "../domain/receipt.ts";
import type { Permit } from "../domain/stages.ts";
import type { Refused, Seen } from "./limiter.ts";

interface Said<T> {
  readonly what: T;
  readonly atMs: number;
  readonly grantedAtMs: number;
}

/** What is told again reaches the limiter later than its age says: by the time in which it may be on its way. */
const ON_ITS_WAY_MS = 1_000;

export class Unsaid {
  #refused: Said<Throttle> | null = null;
  /** The refusal was told without an answer: the limiter may have heard it, and must not take it for another one. */
  #isRepeated = false;
  #seen: Said<Announced> | null = null;

  /** The first counts: what is refused before the limiter heard of it belongs to the same incident. */
  refused(what: Throttle, { grantedAtMs }: Permit, atMs: number): void {
    if (this.#refused !== null) return;
    this.#refused = { what, atMs, grantedAtMs };
    this.#isRepeated = false;
  }

  /** The answer to the latest call counts. */
  seen(what: Announced, { grantedAtMs }: Permit, atMs: number): void {
    if (this.#seen !== null && grantedAtMs < this.#seen.grantedAtMs) return;
    this.#seen = { what, atMs, grantedAtMs };
  }

  /** To be told at `nowMs`; call `heard` once it was. */
  at(nowMs: number): { readonly refused: Refused | null; readonly seen: Seen | null; readonly heard: () => void } {
    const [refused, seen] = [this.#refused, this.#seen];
    const onItsWayMs = this.#isRepeated ? ON_ITS_WAY_MS : 0;
    this.#isRepeated = true;
    return {
      refused: refused && { ...refused.what, grantedAgoMs: nowMs - refused.grantedAtMs + onItsWayMs },
      seen: seen && { ...later(seen.what, nowMs - seen.atMs), grantedAgoMs: nowMs - seen.grantedAtMs },
      heard: () => {
        if (this.#refused === refused) this.#refused = null;
        if (this.#seen === seen) this.#seen = null;
      },
    };
  }
}

const later = (announced: Announced, ms: number): Announced => ({
  ...announced,
  resetMs: announced.resetMs === null ? null : announced.resetMs - ms,
});
