/** Runs checks against the services and tells each finding: as a line when it is known, or all of them as JSON. */
import { systemClock } from "../lib/clock.ts";
import { type Check, type Finding, type Result, runChecks, type Status } from "../online/check.ts";
import { EXIT } from "./exit.ts";
import { interruptible } from "./interruptible.ts";
import { clean, styled, type Terminal } from "./terminal.ts";

interface Report {
  add(result: Result): void;
  end(): void;
}

interface Checks extends AsyncDisposable {
  readonly checks: readonly Check[];
}

/**
 * Disposes of the checks. Resolves with the exit code: failed when a finding is, or when it was interrupted. What services
 * answer may hold anything, so each sentence is made printable and rid of secrets.
 */
export const tellChecks = (
  open: () => Promise<Checks>,
  terminal: Terminal,
  form: "json" | "lines",
): Promise<number> => {
  const report = form === "json" ? asJson(terminal) : asLines(terminal);
  return interruptible(terminal, async (signal) => {
    let code: number = EXIT.done;
    await using opened = await open();
    for await (const { sentence, next, ...result } of runChecks(opened.checks, systemClock, signal)) {
      report.add({
        ...result,
        sentence: clean(terminal, sentence),
        next: next === null ? null : clean(terminal, next),
      });
      if (result.status === "failed") code = EXIT.failed;
    }
    report.end();
    return code;
  });
};

const asJson = ({ out }: Terminal): Report => {
  const results: Result[] = [];
  return { add: (result) => void results.push(result), end: () => out(`${JSON.stringify(results, null, 2)}\n`) };
};

const STYLES = { ok: "green", warning: "yellow", failed: "red" } as const;

const asLines = (terminal: Terminal): Report => {
  const counts: Record<Status, number> = { ok: 0, warning: 0, failed: 0 };
  return {
    add(result) {
      counts[result.status] += 1;
      terminal.out(findingLines(result, terminal));
    },
    end() {
      const warnings = `${counts.warning} warning${counts.warning === 1 ? "" : "s"}`;
      terminal.out(`${counts.ok} ok, ${warnings}, ${counts.failed} failed\n`);
    },
  };
};

/** Without the check's name: the sentence says what it is about. */
export const findingLines = ({ status, sentence, next }: Finding, terminal: Terminal): string => {
  const mark = styled(terminal, STYLES[status], status.padEnd("warning".length));
  return `${mark}  ${sentence}\n${next === null ? "" : `         next: ${next}\n`}`;
};
