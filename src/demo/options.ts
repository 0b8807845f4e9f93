/** What a user of the demo may choose, and what stays the same in every run. */

export interface DemoOptions {
  readonly changes: number;
  readonly replicas: number;
  readonly dialect: "bulk" | "core";
  readonly format: "avro" | "json";
  /** The changes are made by SQL in a PostgreSQL, and a real Debezium writes them to Kafka. */
  readonly debezium: boolean;
  /** Sell answers one request in the middle with a 429 that asks for `PENALTY_MS`. */
  readonly penalty: boolean;
  /** Another integration takes `FOREIGN` calls of each window. */
  readonly foreign: boolean;
}

/** Sell's 200 calls a minute, ten times faster: the same arithmetic in a tenth of the time. */
export const QUOTA = { limit: 20, perMs: 6_000 } as const;
/** Calls of each window that `--foreign` gives to another integration; the connector leaves them and one more alone. */
export const FOREIGN = 4;
export const PENALTY_MS = 20_000;

/** The ERP's day in bursts, so that times from commit to acceptance are those of a busy and of an idle connector. */
export const WAVES = 5;
export const WAVE_EVERY_MS = 3_000;

/** Fewer could not hold every kind of change. */
export const CHANGES_MIN = 40;
export const CHANGES_MAX = 100_000;
export const REPLICAS_MAX = 12;
export const PARTITIONS = 4;

/** Records a bulk call holds. */
export const ITEMS_PER_CALL = { bulk: 50, core: 1 } as const;
