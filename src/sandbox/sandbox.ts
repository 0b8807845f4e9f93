/** The simulator as tests and its own control port see it. */
import type { LoggedRequest } from "./applied-log.ts";
import type { FaultOptions, RateOptions, SettingsOptions } from "./config.ts";
import type { JsonObject } from "./reply.ts";
import type { Summary } from "./summary.ts";

/** A record as it is now, without index lag. */
export interface StateRecord {
  /** Bulk resource, or `line_items`. */
  readonly resource: string;
  readonly version: number;
  readonly data: JsonObject;
}

export interface Sandbox {
  /** `http://127.0.0.1:PORT`, without a slash at the end. */
  readonly url: string;
  /** `resource`: Sell's name (`contacts` holds accounts too); default all. */
  state(resource?: string): Iterable<StateRecord>;
  /** Oldest first, at most the last 200,000 requests and 500,000 items. */
  log(sinceId?: number): readonly LoggedRequest[];
  summary(windowMs?: number): Summary;
  /** Appends to the fault script. Throws a ZodError for what is no fault. */
  script(faults: readonly FaultOptions[]): void;
  clearFaults(): void;
  setRate(rate: RateOptions): void;
  setLimit(limit: number): void;
  setForeign(perMinute: number): void;
  set(settings: SettingsOptions): void;
  /** No records, no log, no faults, a rested quota; settings and rate stay. */
  reset(): void;
  /** Ends open requests without a reply and waits until nothing runs any more. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}
