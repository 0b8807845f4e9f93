/** What this process counted since it started, under short names, for the status page. */
import type { Registry } from "prom-client";
import { type Value, valuesOf } from "./metric-values.ts";

/**
 * `accepted` records; `calls`, of which `failed` (no answer, or a 5xx) and `refused` (429); `changes` that the records in
 * them stood for; `stalls`: tries to read a record that has to wait; `letters`, all
 * reasons together, and `unburied`: tries to write one in vain; `batches.<reason>`; `sizes.<records at most>`;
 * `dead-letters.<reason>`. Names are as many as the metrics have labels.
 */
export type Totals = ReadonlyMap<string, number>;

export const totalsOf = async (registry: Registry): Promise<Totals> => {
  const of = (name: string): Promise<readonly Value[]> => valuesOf(registry, name);
  const requests = await of("requests_total");
  return new Map([
    ["accepted", sum(await of("records_delivered_total"))],
    ["calls", sum(requests)],
    ["failed", sum(requests.filter(({ labels }) => !ANSWERED.test(String(labels["code"]))))],
    ["refused", sum(await of("throttled_responses_total"))],
    ["changes", sum(await of("batch_changes_total"))],
    ["stalls", sum(await of("decode_stalls_total"))],
    ["letters", sum(await of("records_dead_lettered_total"))],
    ["unburied", sum(await of("dead_letter_failures_total"))],
    ...byReason("batches", await of("batches_total")),
    ...bySize(await of("batch_items")),
    ...byReason("dead-letters", await of("records_dead_lettered_total")),
  ]);
};

const ANSWERED = /^[1-4]\d\d$/;

const sum = (values: readonly Value[]): number => values.reduce((total, { value }) => total + value, 0);

const byReason = (family: string, values: readonly Value[]): readonly (readonly [string, number])[] =>
  values.map(({ labels, value }) => [`${family}.${labels["reason"]}`, value]);

/** Buckets hold what is at most their bound; here each has its own part. */
const bySize = (values: readonly Value[]): readonly (readonly [string, number])[] => {
  const buckets = values.filter(({ metricName }) => metricName?.endsWith("_bucket"));
  return buckets.map(({ labels, value }, index) => [`sizes.${labels["le"]}`, value - (buckets[index - 1]?.value ?? 0)]);
};
