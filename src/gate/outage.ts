/**
 * Whether Redis answers, and does what it is asked. An outage is said once when it has lasted a second, once more for each
 * refusal it turns out to be, and once when it is over.
 */
import { errorText } from "../domain/errors.ts";
import type { Clock } from "../lib/clock.ts";
import type { RedisConnection } from "../lib/redis.ts";
import { refusalOf } from "../lib/redis-refusal.ts";
import type { Emit } from "../telemetry/events.ts";

/** Before that it is a blip, or the connection is not made yet. */
const REPORT_AFTER_MS = 1_000;

export class Outage {
  readonly #redis: Pick<RedisConnection, "address" | "lastError">;
  readonly #clock: Clock;
  readonly #emit: Emit;
  /** Null while Redis answers. */
  #sinceMs: number | null;
  /** What was said of this outage: `unreachable`, or what was refused. */
  readonly #said = new Set<string>();
  #state: "bridged" | "closed" = "closed";

  constructor(redis: Pick<RedisConnection, "address" | "lastError">, clock: Clock, emit: Emit) {
    this.#redis = redis;
    this.#clock = clock;
    this.#emit = emit;
    this.#sinceMs = clock.monotonicMs();
  }

  get isOn(): boolean {
    return this.#sinceMs !== null;
  }

  /** This replica goes on with its own share meanwhile. */
  get isBridged(): boolean {
    return this.#state === "bridged";
  }

  answered(): void {
    if (this.#said.size > 0) this.#emit("redis-back", { address: this.#redis.address });
    this.#sinceMs = null;
    this.#said.clear();
  }

  missed(state: "bridged" | "closed", error: unknown): void {
    const nowMs = this.#clock.monotonicMs();
    this.#state = state;
    this.#sinceMs ??= nowMs;
    const isBlip = nowMs - this.#sinceMs < REPORT_AFTER_MS;
    const { address, lastError } = this.#redis;
    const sends = state === "bridged" ? "its share" : "nothing";
    const refusal = refusalOf(error) ?? refusalOf(lastError());
    if (refusal !== null) {
      const again = isBlip || !this.#isNews(`${refusal.reason} ${refusal.command}`);
      this.#emit("redis-refused", { address, ...refusal, sends, again });
    } else if (!isBlip && this.#isNews("unreachable")) {
      const cause = lastError() ?? errorText(error ?? "no answer in time");
      this.#emit("redis-unreachable", { address, cause, sends });
    }
  }

  #isNews(what: string): boolean {
    const { size } = this.#said;
    return this.#said.add(what).size > size;
  }
}
