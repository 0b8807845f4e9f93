/** Reads a metric back, for whoever shows what it counted: a second count could only differ. */
import type { MetricValue, Registry } from "prom-client";
import { PREFIX } from "./metrics.ts";

/** Of a histogram, `metricName` ends in `_bucket`, `_sum` or `_count`. */
export type Value = MetricValue<string> & { readonly metricName?: string };

/** `name` without the prefix. Empty for a metric that is not registered. */
export const valuesOf = async (registry: Registry, name: string): Promise<readonly Value[]> =>
  (await registry.getSingleMetric(`${PREFIX}${name}`)?.get())?.values ?? [];
