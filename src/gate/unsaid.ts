/** What the server said and the limiter has not heard yet: it goes along with the next question, so that it costs none. */
import type { Announced, Throttle } from "../domain/receipt.ts";
import type { Permit } from "../domain/stages.ts";
import type { Refused, Seen } from "./limiter.ts";

interface Said<T> {
  readonly what: T;
  readonly atMs: number;
  readonly grantedAtMs: number;
}

export class Unsaid {
  #refused: Said<Throttle> | null = null;
  #seen: Said<Announced> | null = null;

  /** The first counts: what is refused before the limiter heard of it belongs to the same incident. */
  refused(what: Throttle, { grantedAtMs }: Permit, atMs: number): void {
    this.#refused ??= { what, atMs, grantedAtMs };
  }

  /** The answer to the latest call counts. */
  seen(what: Announced, { grantedAtMs }: Permit, atMs: number): void {
    if (this.#seen !== null && grantedAtMs < this.#seen.grantedAtMs) return;
    this.#seen = { what, atMs, grantedAtMs };
  }

  /** To be told at `nowMs`; call `heard` once it was. */
  at(nowMs: number): { readonly refused: Refused | null; readonly seen: Seen | null; readonly heard: () => void } {
    const [refused, seen] = [this.#refused, this.#seen];
    return {
      refused: refused && { ...refused.what, grantedAgoMs: nowMs - refused.grantedAtMs },
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
