/** Where a command reads from and writes to: the process in real life, plain values in tests. */
import { styleText } from "node:util";
import type { Problem } from "../config/problem.ts";
import { printable, scrubbed } from "../telemetry/text.ts";

export interface Terminal {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** Colours are for people: only on a terminal, or where FORCE_COLOR says so, and never with NO_COLOR. */
  readonly hasColors: boolean;
  /** Characters in a line of the screen that `out` writes to; null where it is no screen, or its width is not known. */
  readonly columns: number | null;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Secrets that were read; nothing that is printed at the last moment may hold one. */
  readonly secrets: Set<string>;
  /** What went wrong and was told on `err`; --json tells it once more, for programs. */
  readonly failures: Failure[];
}

export interface Failure {
  /** Of the ConnectorError, or `CONFIG`, `INTERRUPTED`, or `FAILED`. */
  readonly code: string;
  readonly message: string;
  /** Of a configuration. */
  readonly problems?: readonly Problem[];
}

/** Of the process. Its output may end before it does (`| head`): then it is called off by `SIGPIPE`, as a shell would. */
export const processTerminal = ({
  stdout,
  stderr,
  env,
}: Pick<NodeJS.Process, "stdout" | "stderr" | "env">): Terminal => ({
  out: (text) => void stdout.write(text),
  err: (text) => void stderr.write(text),
  hasColors: !env["NO_COLOR"] && (isForced(env["FORCE_COLOR"]) ?? (isScreen(stdout, env) && isScreen(stderr, env))),
  columns: isScreen(stdout, env) && stdout.columns > 0 ? stdout.columns : null,
  env,
  secrets: new Set(),
  failures: [],
});

const isScreen = ({ isTTY }: NodeJS.WriteStream, { TERM }: NodeJS.ProcessEnv): boolean =>
  isTTY === true && TERM !== "dumb";

/** As Node has it: an empty text is a yes, too. Null: it is not set. */
const isForced = (value: string | undefined): boolean | null =>
  value === undefined ? null : value !== "0" && value !== "false";

type Style = Parameters<typeof styleText>[0];

export const styled = ({ hasColors }: Pick<Terminal, "hasColors">, style: Style, text: string): string =>
  hasColors ? styleText(style, text, { validateStream: false }) : text;

/** Text that somebody else wrote, as one line without secrets, fit for a terminal. */
export const clean = ({ secrets }: Pick<Terminal, "secrets">, text: string): string =>
  scrubbed(printable(text), secrets);

/** The cursor goes home and what is below it goes away: only on a terminal. */
export const clearScreen = ({ columns, out }: Pick<Terminal, "columns" | "out">): void => {
  if (columns !== null) out("\u001b[H\u001b[J");
};
