/** Examples of each command: in its help, and the first of them beside what is said about a mistake. */
import type { Command } from "commander";
import { styled, type Terminal } from "./terminal.ts";

/** A command line, and what it is for, or nothing where that is plain. */
export type Example = readonly [line: string, purpose?: string];

const known = new WeakMap<Command, readonly Example[]>();

/** Adds them to the help, behind `intro`; `exits` are the exit codes in words. */
export const withExamples = (
  command: Command,
  {
    intro = "",
    examples,
    exits,
  }: { readonly intro?: string; readonly examples: readonly Example[]; readonly exits: string },
): Command => {
  known.set(command, examples);
  const width = Math.max(...examples.flatMap(([line, purpose]) => (purpose === undefined ? [] : line.length)), 0);
  const lines = examples.map(
    ([line, purpose]) => `  ${purpose === undefined ? line : `${line.padEnd(width)}   ${purpose}`}\n`,
  );
  const before = intro === "" ? "" : `\n${intro.trim()}\n`;
  return command.addHelpText("after", `${before}\nExamples:\n${lines.join("")}\nExit codes: ${exits}.\n`);
};

/** What stands below the sentence about a mistake; a command without examples points to its parent's help. */
export const hintFor = (command: Command, terminal: Pick<Terminal, "hasColors">): string => {
  const [[line] = []] = known.get(command) ?? [];
  const help = `${pathOf(command)} --help shows what there is`;
  return line === undefined ? `(${help})` : `${styled(terminal, "bold", "example:")} ${line}\n(${help})`;
};

const pathOf = (command: Command): string =>
  command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`;
