/** Tells a person how far long work is: in place on a terminal, in few plain lines elsewhere, not at all for programs. */
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

/** `stream` is a terminal. */
export const spinnerProgress = ({ clock, out }: ProgressDeps, stream: NodeJS.WritableStream): Progress => ({
  async step(title, work) {
    const startMs = clock.monotonicMs();
    const spinner = ora({ text: title, indent: 2, stream, discardStdin: false }).start();
    const step: Step = {
      note(line) {
        spinner.clear();
        out(`    ${line}\n`);
        spinner.render();
      },
      tell(text) {
        spinner.text = `${title}: ${text}`;
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

const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;
