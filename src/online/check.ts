/**
 * Checks against the living services, as data: each has a name and says in sentences what it found. They run one after the
 * other, each for a bounded time, and one that needs what an earlier one could not reach is left out with a word on why.
 */
import { errorText } from "../domain/errors.ts";
import type { Clock } from "../lib/clock.ts";
import { LATE, within } from "../lib/within.ts";

/** `warning` may be meant so; `failed` keeps the connector from working. */
export type Status = "ok" | "warning" | "failed";

export interface Finding {
  readonly status: Status;
  /** What was found, for a person: it names what it is about, and holds no payload and no secret. */
  readonly sentence: string;
  /** What to do about it; null where nothing is to be done. */
  readonly next: string | null;
}

export interface Check {
  readonly name: string;
  /** Names of earlier checks that it is in vain without. */
  readonly needs: readonly string[];
  /** What to look at, to complete "check ...", when it fails or gets no answer. */
  readonly waitsFor: string;
  /** May reject: the error's sentence is the finding then. */
  run(signal: AbortSignal): Promise<readonly Finding[]>;
}

export interface Result extends Finding {
  readonly name: string;
}

export const ok = (sentence: string): Finding => ({ status: "ok", sentence, next: null });
export const warning = (sentence: string, next: string): Finding => ({ status: "warning", sentence, next });
export const failed = (sentence: string, next: string): Finding => ({ status: "failed", sentence, next });

/** Longest a check may take. */
const CHECK_MS = 15_000;

/** Gives each result as soon as it is known. Rejects only with `signal.reason`. */
export async function* runChecks(checks: readonly Check[], clock: Clock, signal: AbortSignal): AsyncGenerator<Result> {
  const broken = new Set<string>();
  for (const check of checks) {
    const missing = check.needs.find((name) => broken.has(name));
    const findings = missing === undefined ? await findingsOf(check, clock, signal) : [leftOut(check, missing)];
    if (missing !== undefined || findings.some(({ status }) => status === "failed")) broken.add(check.name);
    for (const finding of findings) yield { name: check.name, ...finding };
  }
}

const leftOut = ({ name }: Check, missing: string): Finding =>
  warning(`Not checked: ${name}, since "${missing}" failed.`, "put that right first");

const findingsOf = async (check: Check, clock: Clock, signal: AbortSignal): Promise<readonly Finding[]> => {
  try {
    const findings = await within(clock, CHECK_MS, (cut) => check.run(cut), signal);
    if (findings !== LATE) return findings;
    return [failed(`No answer within ${CHECK_MS / 1_000} s for "${check.name}".`, `check ${check.waitsFor}`)];
  } catch (error) {
    signal.throwIfAborted();
    return [failed(errorText(error), `check ${check.waitsFor}`)];
  }
};
