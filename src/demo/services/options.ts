/** What every start function takes, and how a service is named. */
import { type Clock, systemClock } from "../../lib/clock.ts";

/** What the connector itself talks to. */
export const SERVICE_NAMES = ["kafka", "redis", "registry"] as const;
/** `postgres` is an ERP's database. */
export type ServiceName = (typeof SERVICE_NAMES)[number] | "postgres";

/** Bounds the wait for a service's first answer. A JVM takes 3 s on an idle machine and a minute on a crowded one. */
export const READY_WITHIN_MS = 120_000;

export interface StartOptions {
  /** Receives one line for each thing a person would like to know. */
  readonly say?: (line: string) => void;
  readonly clock?: Clock;
  /** Addresses, `PATH` and the cache folder are read from here. */
  readonly env?: Readonly<NodeJS.ProcessEnv>;
  readonly signal?: AbortSignal;
}

export type Context = Required<StartOptions>;

export const withDefaults = ({
  say = () => {},
  clock = systemClock,
  env = process.env,
  signal = new AbortController().signal,
}: StartOptions): Context => ({ say, clock, env, signal });
