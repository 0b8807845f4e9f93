/** Tells a person how far long work is: in place on a terminal, in few plain lines elsewhere, not at all for programs. */
import { styleText } from "node:util";
import ora from "ora";
import type { Clock } from "./clock.ts";

export interface Step {
  /** A line that stays. */
  note(line: string): void;
  /** What is going on now; the newest replaces the one before. */
  tell(text: string): void;
}

export interface Progress {
  /** Names the step, does the work and says how long it took. `title` may be replaced by what the work found out. */
  step<T>(title: string, work: (step: Step) => Promise<T>): Promise<T>;
}

const silence: Step = { note() {}, tell() {} };

export const silentProgress: Progress = { step: (_, work) => work(silence) };

export interface ProgressDeps {
  readonly clock: Clock;
  readonly out: (text: string) => void;
}

/** Between two lines about the same step. */
const TELL_EVERY_MS = 5_000;

export const lineProgress = ({ clock, out }: ProgressDeps): Progress => ({
  async step(title, work) {
    const startMs = clock.monotonicMs();
    let toldMs = startMs;
    const step: Step = {
      note: (line) => out(`    ${line}\n`),
      tell(text) {
        if (clock.monotonicMs() - toldMs < TELL_EVERY_MS) return;
        toldMs = clock.monotonicMs();
        out(`  … ${text}\n`);
      },
    };
    const result = await work(step);
    out(`  ✓ ${title} (${seconds(clock.monotonicMs() - startMs)})\n`);
    return result;
  },
});

/** Two spaces, the spinner, a space, and the last column, behind which some terminals wrap. */
const BESIDE_TEXT = 5;

export const spinnerProgress = ({ clock, out }: ProgressDeps, stream: NodeJS.WriteStream): Progress => ({
  async step(title, work) {
    const startMs = clock.monotonicMs();
    const spinner = ora({ text: title, indent: 2, stream, discardStdin: false }).start();
    const step: Step = {
      note(line) {
        spinner.clear();
        out(`    ${styleText("dim", line, { validateStream: false })}\n`);
        spinner.render();
      },
      tell(text) {
        spinner.text = inOneLine(`${title}: ${text}`, stream.columns - BESIDE_TEXT);
      },
    };
    try {
      const result = await work(step);
      spinner.succeed(`${title} (${seconds(clock.monotonicMs() - startMs)})`);
      return result;
    } catch (error) {
      spinner.fail(title);
      throw error;
    }
  },
});

/** A text that wraps cannot be taken back for sure: each turn of the spinner might leave a line behind. */
const inOneLine = (text: string, columns: number): string =>
  text.length <= columns ? text : `${text.slice(0, Math.max(0, columns - 1))}…`;

const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;
