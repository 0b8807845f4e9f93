/** How long to wait when a server throttles without saying for how long: a minute, doubling while it goes on. */

const FIRST_MS = 60_000;
const MOST_MS = 900_000;

export class DefaultWait {
  #inARow = 0;
  #untilMs = Number.NEGATIVE_INFINITY;

  /** `nowMs` is monotonic. Answers that come during a wait belong to the incident that caused it and do not double it. */
  nextMs(nowMs: number): number {
    if (nowMs < this.#untilMs) return this.#untilMs - nowMs;
    this.#inARow = nowMs < this.#untilMs + MOST_MS ? this.#inARow + 1 : 1;
    const waitMs = Math.min(FIRST_MS * 2 ** (this.#inARow - 1), MOST_MS);
    this.#untilMs = nowMs + waitMs;
    return waitMs;
  }
}
