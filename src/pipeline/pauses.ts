/** Which partitions are not fetched for now, and why: memory, order, the quota, or somebody's word. */
import type { OwnedPartition, PauseReason } from "../commit/partition.ts";
import type { RecordSource } from "../domain/stages.ts";
import { Budget, type BudgetLimits } from "../window/budget.ts";

const NEED_SOMEBODY = ["paused", "failures", "brake"] as const satisfies readonly PauseReason[];
/** What no waiting ends. */
export type Stop = (typeof NEED_SOMEBODY)[number];

export interface PausesDeps {
  readonly source: Pick<RecordSource, "pause" | "resume">;
  readonly limits: BudgetLimits & { readonly maxSpan: number };
  readonly partitions: () => readonly OwnedPartition[];
  readonly cooldownLeftMs: () => number;
  /** Whether the topic as a whole stands still for this reason. */
  readonly stands: Readonly<Record<Stop, (topic: string) => boolean>>;
}

/** A paused partition goes on when this part of its bound is left: pausing and resuming by turns would fetch twice. */
const LOW_MARK = 0.75;
/** From such a cool-down on, partitions pause instead of filling memory; near its end they go on. */
const LONG_COOLDOWN_MS = 5_000;
const COOLDOWN_END_MS = 1_000;

export class Pauses {
  readonly #deps: PausesDeps;
  readonly #budget: Budget;
  readonly #lowMark: Budget;

  constructor(deps: PausesDeps) {
    const { maxRecords, maxBytes } = deps.limits;
    this.#deps = deps;
    this.#budget = new Budget(deps.limits);
    this.#lowMark = new Budget({ maxRecords: LOW_MARK * maxRecords, maxBytes: LOW_MARK * maxBytes });
  }

  update(): void {
    const { limits, stands } = this.#deps;
    const [cooldownMs, partitions] = [this.#deps.cooldownLeftMs(), this.#deps.partitions()];
    const accounts = partitions.map(({ held }) => held);
    const [full, nearlyFull] = [this.#budget.full(accounts), this.#lowMark.full(accounts)];
    for (const partition of partitions) {
      const { topic, held, pausedFor, isStarted } = partition;
      const longMs = pausedFor.has("quota") ? COOLDOWN_END_MS : LONG_COOLDOWN_MS;
      const spanMax = (pausedFor.has("span") ? LOW_MARK : 1) * limits.maxSpan;
      // One that holds nothing reads on: the age of its oldest record is only known once that was fetched.
      const holds = held.records > 0;
      this.#set(partition, "quota", cooldownMs > longMs && holds);
      this.#set(partition, "window", (pausedFor.has("window") ? nearlyFull : full).has(held));
      this.#set(partition, "span", isStarted && partition.watermark.span > spanMax);
      for (const reason of NEED_SOMEBODY) this.#set(partition, reason, stands[reason](topic) && holds);
    }
  }

  /** Why the topic stands still until a person acts, whether or not there is anything to hold back; null: it does not. */
  stopOf(topic: string): Stop | null {
    return NEED_SOMEBODY.find((reason) => this.#deps.stands[reason](topic)) ?? null;
  }

  /** For good: the process is about to end. */
  stop(): void {
    for (const partition of this.#deps.partitions()) this.#set(partition, "stopping", true);
  }

  /** The consumer knows nothing of the pauses of partitions that it has just got. */
  repeat(): void {
    for (const partition of this.#deps.partitions()) this.#apply(partition);
  }

  #set(partition: OwnedPartition, reason: PauseReason, isPaused: boolean): void {
    if (partition.pausedFor.has(reason) === isPaused) return;
    if (isPaused) partition.pausedFor.add(reason);
    else partition.pausedFor.delete(reason);
    this.#apply(partition);
  }

  #apply(partition: OwnedPartition): void {
    if (partition.pausedFor.size > 0) this.#deps.source.pause(partition);
    else this.#deps.source.resume(partition);
  }
}
