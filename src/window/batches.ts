/** What may leave, and when: the ready entries by what can share a request, and halves of batches that failed as a whole. */
import type { Lane } from "../domain/mutation.ts";
import { type ClosedBy, type Cut, cut } from "./cut.ts";
import type { WindowDeps, WindowOptions } from "./deps.ts";
import type { Entry, Plan } from "./entry.ts";
import { Halves } from "./halves.ts";
import { type Group, ReadyQueue } from "./ready-queue.ts";

export class Batches {
  readonly #options: Pick<WindowOptions, "maxItems" | "lingerMs">;
  readonly #deps: Pick<WindowDeps, "clock" | "maySendOf" | "changed">;
  readonly #ready = new ReadyQueue();
  readonly #halves = new Halves();

  constructor(
    options: Pick<WindowOptions, "maxItems" | "lingerMs">,
    deps: Pick<WindowDeps, "clock" | "maySendOf" | "changed">,
  ) {
    this.#options = options;
    this.#deps = deps;
  }

  /** The entry may leave with this plan. */
  add(entry: Entry, plan: Plan): void {
    entry.plan = plan;
    entry.state = "ready";
    const group = this.#ready.add(entry, plan.verb);
    // Only the first of a lane, one that comes back and the one that fills a batch alter what is due.
    const isFirst = group.sizeOf(entry.lane) === 1;
    if (isFirst || entry.comesBack || group.size === this.#most(group)) this.#deps.changed();
  }

  /** It no longer waits to leave by itself. */
  delete(entry: Entry): void {
    this.#ready.delete(entry);
  }

  /** Nor in half a batch. */
  deleteFromHalf(entry: Entry): void {
    this.#halves.delete(entry);
  }

  /** These leave as they are, half of them at a time, after `waitMs`. */
  split(entries: readonly Entry[], waitMs: number): void {
    this.#halves.split(entries, this.#now() + waitMs);
    this.#deps.changed();
  }

  /** Milliseconds until a batch of this lane is due; <= 0 now, Infinity when nothing waits. */
  dueInMs(lane: Lane): number {
    const now = this.#now();
    let due = this.#halves.dueMs(lane, this.#deps.maySendOf) - now;
    for (const group of this.#ready.groups()) due = Math.min(due, this.#groupDueInMs(group, lane, now));
    return due;
  }

  /** Cuts the next batch: oldest first, one entity, one verb, a key once. Null: nothing of that lane is due any more. */
  take(lane: Lane): Cut | null {
    const now = this.#now();
    const half = this.#halves.take(lane, now, this.#deps.maySendOf);
    if (half !== null) return this.#cut(half, lane, "retry");
    const group = this.#ready.oldest(lane, (candidate) => this.#groupDueInMs(candidate, lane, now) <= 0);
    if (group === null) return null;
    const most = this.#most(group);
    const closedBy = group.size >= most ? "count" : "age";
    return this.#cut(group.take(lane, most), lane, closedBy);
  }

  #cut(entries: readonly Entry[], lane: Lane, closedBy: ClosedBy): Cut {
    for (const entry of entries) entry.firstSentMs ??= this.#deps.clock.now();
    return cut(entries, lane, closedBy);
  }

  #most({ verb, alone }: Group): number {
    return verb === "lookup" || alone ? 1 : this.#options.maxItems;
  }

  #groupDueInMs(group: Group, lane: Lane, now: number): number {
    const head = group.head(lane);
    if (head === undefined || !this.#deps.maySendOf(group.entity)) return Number.POSITIVE_INFINITY;
    if (head.comesBack) return 0;
    // A parent usually comes by itself, just behind its child: give it some time before a request is spent on it.
    if (group.verb === "lookup" && head.queue.length === 0) return head.arrivedMs + 5 * this.#options.lingerMs - now;
    return group.size >= this.#most(group) ? 0 : head.arrivedMs + this.#options.lingerMs - now;
  }

  #now(): number {
    return this.#deps.clock.monotonicMs();
  }
}
