/** Whether Redis answers. An outage is said once when it has lasted a second, and once when it is over. */
import { errorText } from "../domain/errors.ts";
import type { Clock } from "../lib/clock.ts";
import type { RedisConnection } from "../lib/redis.ts";
import type { Emit } from "../telemetry/events.ts";

/** Before that it is a blip, or the connection is not made yet. */
const REPORT_AFTER_MS = 1_000;

export class Outage {
  readonly #redis: Pick<RedisConnection, "address" | "lastError">;
  readonly #clock: Clock;
  readonly #emit: Emit;
  /** Null while Redis answers. */
  #sinceMs: number | null;
  #reported = false;

  constructor(redis: Pick<RedisConnection, "address" | "lastError">, clock: Clock, emit: Emit) {
    this.#redis = redis;
    this.#clock = clock;
    this.#emit = emit;
    this.#sinceMs = clock.monotonicMs();
  }

  get isOn(): boolean {
    return this.#sinceMs !== null;
  }

  answered(): void {
    if (this.#reported) this.#emit("redis-back", { address: this.#redis.address });
    this.#sinceMs = null;
    this.#reported = false;
  }

  missed(error: unknown): void {
    const nowMs = this.#clock.monotonicMs();
    this.#sinceMs ??= nowMs;
    if (this.#reported || nowMs - this.#sinceMs < REPORT_AFTER_MS) return;
    this.#reported = true;
    const { address, lastError } = this.#redis;
    this.#emit("redis-unreachable", { address, cause: lastError() ?? errorText(error) });
  }
}
