/** The result of a run, and everything about it that is not as it should be. */
import type { Comparison } from "./expected.ts";
import type { PenaltyWait, Traffic } from "./measure.ts";
import { type DemoOptions, QUOTA } from "./options.ts";

export interface Result {
  readonly options: DemoOptions;
  readonly quota: { readonly limit: number; readonly perMs: number };
  readonly traffic: Traffic;
  readonly penalty: PenaltyWait | null;
  readonly deadLetters: readonly { readonly reason: string; readonly isPoison: boolean }[];
  /** Records that the group has not committed yet. */
  readonly lag: number;
  readonly comparison: Comparison;
  /** Exit code of each replica's stop; empty when they were left running. */
  readonly exitCodes: readonly (number | null)[];
  readonly tookMs: number;
}

/** One sentence each; none: the run kept every promise. */
export const problemsOf = (result: Result): readonly string[] => {
  const { traffic, comparison, deadLetters, penalty, lag, exitCodes, options } = result;
  const planned = options.penalty ? 1 : 0;
  const problem = (isWrong: boolean, text: string): readonly string[] => (isWrong ? [text] : []);
  return [
    ...comparison.differences,
    ...problem(traffic.throttled !== planned, `Sell answered 429 ${traffic.throttled} times instead of ${planned}.`),
    ...problem(
      traffic.busiestWindow > QUOTA.limit,
      `${traffic.busiestWindow} calls within ${QUOTA.perMs} ms are more than the ${QUOTA.limit} allowed.`,
    ),
    ...problem(lag !== 0, `${lag} records are not committed.`),
    ...problem(
      deadLetters.length !== 1 || deadLetters[0]?.isPoison !== true,
      `The dead-letter topic holds ${deadLetters.length} records instead of exactly the poison record.`,
    ),
    ...problem(traffic.backward > 0, `${traffic.backward} writes took a record back to an older version.`),
    ...problem((penalty?.callsInside ?? 0) > 0, `${penalty?.callsInside} calls began inside the announced wait.`),
    ...exitCodes.flatMap((code, i) => problem(code !== 0, `Replica ${i + 1} ended with exit code ${code}.`)),
  ];
};
