/**
 * Mistakes in a command line that commander would answer less well: before it says what is missing, say which option was
 * misspelt, since that is often the same one.
 */
import type { Command } from "commander";
import { nearest } from "../lib/nearest.ts";
import { hintFor } from "./examples.ts";
import { styled, type Terminal } from "./terminal.ts";

/** What to print of the first long option that its command does not have; null: each is known, or help was asked for. */
export const misspeltOption = (
  program: Command,
  args: readonly string[],
  terminal: Pick<Terminal, "hasColors">,
): string | null => {
  const own = args.includes("--") ? args.slice(0, args.indexOf("--")) : args;
  if (own.includes("--help") || own.includes("-h")) return null;
  const command = commandIn(program, own);
  const known = ["--help", ...command.options.flatMap(({ long }) => long ?? [])];
  const [unknown] = own
    .filter((arg) => /^--[a-z]/i.test(arg))
    .map((arg) => arg.split("=", 1)[0] ?? arg)
    .filter((name) => !known.includes(name));
  if (unknown === undefined || command === program) return null;
  const meant = nearest(unknown, known);
  const hint = meant === null ? "" : `\n(Did you mean ${meant}?)`;
  const said = `unknown option '${unknown}'${hint}\n${hintFor(command, terminal)}`;
  return `${styled(terminal, "red", "error:")} ${said}\n`;
};

/** The one like it; the program itself where none is. */
export const commandMeant = (program: Command, name: string): Command => {
  const names = program.commands.map((command) => command.name());
  const meant = nearest(name, names);
  return program.commands.find((command) => command.name() === meant) ?? program;
};

const commandIn = (program: Command, args: readonly string[]): Command =>
  args
    .filter((arg) => !arg.startsWith("-"))
    .reduce((parent, name) => parent.commands.find((command) => command.name() === name) ?? parent, program);
