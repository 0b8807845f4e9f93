/** Gives the CRM's records the ERP keys they belong to: reads them all, compares them with the keys, writes what is certain. */
import type { Entity } from "../domain/mutation.ts";
import type { FoundRecord } from "../domain/search.ts";
import { patiently } from "../lib/patiently.ts";
import type { Progress } from "../lib/progress.ts";
import { Comparison, type Verdict } from "./comparison.ts";
import { someMinutes } from "./patience.ts";
import { type Matched, remember, type WritingDeps, type Written, writeKeys } from "./write-keys.ts";

export interface AdoptDeps extends WritingDeps {
  readonly progress: Progress;
  /** How long searches may miss what was written. */
  readonly indexLagMs: number;
  readonly isDry: boolean;
}

export interface Sample {
  readonly key: string;
  /** Of the records that it is about. */
  readonly ids: readonly number[];
  readonly message?: string;
}

/** `failed`: matched, and not written for another reason than that the run is dry. */
export type Fate = Verdict["is"] | "written" | "failed";

export class Tally {
  readonly #fates = new Map<Fate, { count: number; readonly samples: Sample[] }>();

  add(fate: Fate, sample: Sample): void {
    const known = this.#fates.get(fate) ?? { count: 0, samples: [] };
    known.count += 1;
    if (known.samples.length < SAMPLES_MAX) known.samples.push(sample);
    this.#fates.set(fate, known);
  }

  count(fate: Fate): number {
    return this.#fates.get(fate)?.count ?? 0;
  }

  /** The first few. */
  samples(fate: Fate): readonly Sample[] {
    return this.#fates.get(fate)?.samples ?? [];
  }
}

const SAMPLES_MAX = 10;
/** Of 100 records: more than the largest account may hold. */
const PAGES_MAX = 60_000;
const REMEMBER_MAX = 500;

/** Counts into `tally`, which is right also when it rejects: what is written stays, and the same run again goes on. */
export const adopt = async (
  texts: ReadonlyMap<string, string | null>,
  textOf: (record: FoundRecord) => string | null,
  tally: Tally,
  deps: AdoptDeps,
  signal: AbortSignal,
): Promise<void> => {
  const { progress, entity, isDry } = deps;
  const comparison = new Comparison(texts, textOf);
  await progress.step(`Records of ${entity}`, async ({ tell }) => {
    let read = 0;
    for await (const records of allRecords(entity, deps, signal)) {
      for (const record of records) comparison.see(record);
      read += records.length;
      tell(`${read.toLocaleString("en-US")} read`);
    }
  });
  const matched: Matched[] = [];
  const adopted: Matched[] = [];
  for (const verdict of comparison.verdicts()) {
    const { is, key } = verdict;
    tally.add(is, { key, ids: "id" in verdict ? [verdict.id] : verdict.ids });
    if ("id" in verdict) (is === "matched" ? matched : adopted).push({ key, id: verdict.id });
  }
  if (isDry) return;
  for (let at = 0; at < adopted.length; at += REMEMBER_MAX)
    await remember(adopted.slice(at, at + REMEMBER_MAX), deps, signal);
  if (matched.length > 0) await progress.step("Keys", ({ tell }) => write(matched, tally, deps, tell, signal));
};

async function* allRecords(
  entity: Entity,
  deps: AdoptDeps,
  signal: AbortSignal,
): AsyncGenerator<readonly FoundRecord[]> {
  const permit = () => deps.gate.acquire("backfill", signal);
  const patience = someMinutes(deps);
  for (let page = 1; page <= PAGES_MAX; page++) {
    const { records, isLast } = await patiently(
      deps.clock,
      patience,
      () => deps.crm.search({ entity, page }, permit, signal),
      signal,
    );
    yield records;
    if (isLast) return;
  }
}

const write = async (
  matched: readonly Matched[],
  tally: Tally,
  deps: AdoptDeps,
  tell: (text: string) => void,
  signal: AbortSignal,
): Promise<void> => {
  for await (const written of writeKeys(matched, deps, signal)) {
    for (const each of written) tally.add(each.is === "written" ? "written" : "failed", sampleOf(each));
    tell(`${tally.count("written").toLocaleString("en-US")} of ${matched.length.toLocaleString("en-US")} written`);
  }
  // Whoever starts now must find them by key, else it would create them again.
  await deps.clock.sleep(deps.indexLagMs, signal);
};

const sampleOf = (written: Written): Sample => ({
  key: written.key,
  ids: [written.id],
  message: "message" in written ? written.message : "it has got another key meanwhile, or is gone",
});
