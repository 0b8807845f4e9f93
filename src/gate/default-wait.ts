/** How long to wait when a server throttles without saying for how long; it doubles while that goes on. */

const MOST_MS = 900_000;

export class DefaultWait {
  readonly #firstMs: number;
  #inARow = 0;
  #untilMs = Number.NEGATIVE_INFINITY;

  constructor(firstMs: number) {
    this.#firstMs = firstMs;
  }

  /** `nowMs` is monotonic. Answers that come during a wait belong to the incident that caused it and do not double it. */
  nextMs(nowMs: number): number {
    if (nowMs < this.#untilMs) return this.#untilMs - nowMs;
    this.#inARow = nowMs < this.#untilMs + MOST_MS ? this.#inARow + 1 : 1;
    const waitMs = Math.min(this.#firstMs * 2 ** (this.#inARow - 1), MOST_MS);
    this.#untilMs = nowMs + waitMs;
    return waitMs;
  }
}
