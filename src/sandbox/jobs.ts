/** Asynchronous bulk requests: a 202 at once, the work a little later, the results by polling. */
import type { Clock } from "../lib/clock.ts";
import { type Call, json, refuse, unknownPath } from "./call.ts";
import type { Settings } from "./config.ts";
import type { Reply } from "./reply.ts";

interface Job {
  readonly id: string;
  readonly total: number;
  readonly finishedMs: number | null;
  readonly status: "queued" | "working" | "completed" | "failed";
  readonly results: readonly unknown[] | null;
}

/** Jobs that may be queued or running at once. */
const MAX_ACTIVE = 30;
/** Finished jobs beyond this are forgotten, oldest first, before their time. */
const MAX_JOBS = 1_000;

export class Jobs {
  readonly #clock: Clock;
  readonly #settings: () => Settings;
  /** Owns the promise of work that goes on after a reply. */
  readonly #own: (work: (signal: AbortSignal) => Promise<void>) => void;
  #jobs = new Map<string, Job>();
  #nextId = 0x8f0c;

  constructor(clock: Clock, settings: () => Settings, own: (work: (signal: AbortSignal) => Promise<void>) => void) {
    this.#clock = clock;
    this.#settings = settings;
    this.#own = own;
  }

  /** `work` applies the items and gives their results. */
  submit(call: Call, total: number, work: () => readonly unknown[]): Reply {
    this.#forget();
    const active = [...this.#jobs.values()].filter(({ finishedMs }) => finishedMs === null).length;
    if (active >= MAX_ACTIVE) {
      const reply = refuse(call, 429, { resource: "bulk", code: "job_limit_exceeded" });
      return { ...reply, headers: { "Retry-After": String(Math.ceil(this.#settings().jobMs / 1_000) || 1) } };
    }
    const job: Job = { id: this.#nextId.toString(16), total, finishedMs: null, status: "queued", results: null };
    this.#nextId += 1;
    this.#jobs.set(job.id, job);
    this.#own((signal) => this.#run(job, call.fault?.job, work, signal));
    return { ...json(show(job), 202), headers: { Location: `/api/v2/job_statuses/${job.id}` } };
  }

  /** `GET /api/v2/job_statuses/{id}`. */
  poll(call: Call): Reply {
    const [, , , id = "", more] = call.parts;
    if (call.method !== "GET" || more !== undefined) return unknownPath(call);
    this.#forget();
    const job = this.#jobs.get(id);
    return job === undefined ? refuse(call, 404, { resource: "job_status", code: "not_found" }) : json(show(job));
  }

  reset(): void {
    this.#jobs = new Map();
  }

  async #run(
    job: Job,
    fate: "stuck" | "failed" | undefined,
    work: () => readonly unknown[],
    signal: AbortSignal,
  ): Promise<void> {
    this.#jobs.set(job.id, { ...job, status: "working" });
    if (fate === "stuck") return;
    await this.#clock.sleep(this.#settings().jobMs, signal);
    const finishedMs = this.#clock.monotonicMs();
    if (!this.#jobs.has(job.id)) return; // reset in the meantime
    if (fate === "failed") this.#jobs.set(job.id, { ...job, finishedMs, status: "failed" });
    else this.#jobs.set(job.id, { ...job, finishedMs, status: "completed", results: work() });
  }

  #forget(): void {
    const oldestMs = this.#clock.monotonicMs() - this.#settings().jobTtlMs;
    for (const [id, { finishedMs }] of this.#jobs) {
      if (finishedMs !== null && (finishedMs <= oldestMs || this.#jobs.size > MAX_JOBS)) this.#jobs.delete(id);
    }
  }
}

const show = ({ id, status, total, results }: Job): object => ({
  data: { id, status, total, progress: results?.length ?? 0, message: null, results },
  meta: { type: "job_status", links: { self: `/api/v2/job_statuses/${id}` } },
});
