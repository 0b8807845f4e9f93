/** Where a command reads from and writes to: the process in real life, plain values in tests. */
import { styleText } from "node:util";
import { printable, scrubbed } from "../telemetry/text.ts";

export interface Terminal {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** Colours are for people: only on a terminal, and never with NO_COLOR. */
  readonly hasColors: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Secrets that were read; nothing that is printed at the last moment may hold one. */
  readonly secrets: Set<string>;
}

export const processTerminal = (): Terminal => ({
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  hasColors: process.stdout.isTTY === true && process.stderr.isTTY === true && !process.env["NO_COLOR"],
  env: process.env,
  secrets: new Set(),
});

type Style = Parameters<typeof styleText>[0];

export const styled = ({ hasColors }: Pick<Terminal, "hasColors">, style: Style, text: string): string =>
  hasColors ? styleText(style, text, { validateStream: false }) : text;

/** Text that somebody else wrote, as one line without secrets, fit for a terminal. */
export const clean = ({ secrets }: Pick<Terminal, "secrets">, text: string): string =>
  scrubbed(printable(text), secrets);

/** The cursor goes home and what is below it goes away: only on a terminal. */
export const clearScreen = ({ hasColors, out }: Pick<Terminal, "hasColors" | "out">): void => {
  if (hasColors) out("\u001b[H\u001b[J");
};
