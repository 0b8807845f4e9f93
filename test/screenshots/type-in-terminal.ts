/** Runs a command line in a pseudo-terminal, so that it shows its colours and its progress as it does to a person. */
import { run } from "../../src/demo/services/run.ts";

export const COLUMNS = 110;
export const ROWS = 60;

export interface Seat {
  readonly cwd: string;
  readonly env: Readonly<NodeJS.ProcessEnv>;
}

/** What the terminal was sent. `script` (util-linux) gives the terminal; rejects when the command fails. */
export const typeInTerminal = (line: string, seat: Seat): Promise<string> => {
  const command = `stty cols ${COLUMNS} rows ${ROWS}; ${line}`;
  return run("script", ["-qefc", command, "/dev/null"], seat, new AbortController().signal);
};

/** Services and settings of a test run, and npm's own two lines, belong in no picture. */
export const asOfAPerson = (env: Readonly<NodeJS.ProcessEnv>): NodeJS.ProcessEnv => {
  const isForTests = (name: string): boolean => /^(SELL_SINK_.*|CI|NO_COLOR|FORCE_COLOR|COLUMNS|LINES)$/.test(name);
  const left = Object.fromEntries(Object.entries(env).filter(([name]) => !isForTests(name)));
  return { ...left, TERM: "xterm-256color", SHELL: "/bin/sh", npm_config_loglevel: "silent" };
};
