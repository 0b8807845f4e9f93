/** What this process did with its calls, read from its own metrics. */
import type { Registry } from "prom-client";
import { type Value, valuesOf } from "./metric-values.ts";

export interface Calls {
  /** Batches by the reason they left for. */
  readonly batches: Record<string, number>;
  /** Records in them, and the changes these stood for. */
  readonly items: number;
  readonly changes: number;
  readonly permits: number;
  readonly unusedPermits: number;
  readonly throttled: number;
  /** From the permit to the answer, at most: of half of the calls, and of 999 in a thousand. Null: there was no call. */
  readonly answered: { readonly halfMs: number; readonly nearlyAllMs: number } | null;
}

/** Since the process started. A metric that is not registered counts as 0. */
export const callsOf = async (registry: Registry): Promise<Calls> => {
  const sumOf = async (name: string, part?: string): Promise<number> =>
    (await valuesOf(registry, name))
      .filter(({ metricName }) => part === undefined || metricName?.endsWith(`_${part}`))
      .reduce((sum, { value }) => sum + value, 0);
  const batches = (await valuesOf(registry, "batches_total")).map(
    ({ labels, value }) => [String(labels["reason"]), value] as const,
  );
  return {
    batches: Object.fromEntries(batches),
    items: await sumOf("batch_items", "sum"),
    changes: await sumOf("batch_changes_total"),
    permits: await sumOf("quota_wait_seconds", "count"),
    unusedPermits: await sumOf("permits_unused_total"),
    throttled: await sumOf("throttled_responses_total"),
    answered: answeredOf(await valuesOf(registry, "quota_arrival_seconds")),
  };
};

const answeredOf = (values: readonly Value[]): Calls["answered"] => {
  const count = values.find(({ metricName }) => metricName?.endsWith("_count"))?.value ?? 0;
  const bounds = values.filter(({ metricName, labels }) => metricName?.endsWith("_bucket") && labels["le"] !== "+Inf");
  // Beyond the last bound nothing is known but that it is beyond.
  const boundOf = (part: number): number =>
    1_000 * Number((bounds.find(({ value }) => value >= part * count) ?? bounds.at(-1))?.labels["le"] ?? 0);
  return count === 0 ? null : { halfMs: boundOf(0.5), nearlyAllMs: boundOf(0.999) };
};
