/** Examples of a command, in its help. */
import type { Command } from "commander";

/** A command line, and what it is for, or nothing where that is plain. */
type Example = readonly [line: string, purpose?: string];

/** Adds them to the help, behind `intro`; `exits` are the exit codes in words. */
export const withExamples = (
  command: Command,
  {
    intro = "",
    examples,
    exits,
  }: { readonly intro?: string; readonly examples: readonly Example[]; readonly exits: string },
): Command => {
  const width = Math.max(...examples.flatMap(([line, purpose]) => (purpose === undefined ? [] : line.length)), 0);
  const lines = examples.map(
    ([line, purpose]) => `  ${purpose === undefined ? line : `${line.padEnd(width)}   ${purpose}`}\n`,
  );
  const before = intro === "" ? "" : `\n${intro.trim()}\n`;
  return command.addHelpText("after", `${before}\nExamples:\n${lines.join("")}\nExit codes: ${exits}.\n`);
};
