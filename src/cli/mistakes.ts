/**
 * Mistakes in a command line that commander would answer less well: before it says what is missing, say which option was
 * misspelt, since that is often the same one.
 */
import type { Command } from "commander";
import { nearest } from "../lib/nearest.ts";

/** The first long option that its command does not have, as a sentence; null: each is known, or help was asked for. */
export const misspeltOption = (
  program: Command,
  args: readonly string[],
): { readonly command: Command; readonly message: string } | null => {
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
  return { command, message: `unknown option '${unknown}'${hint}` };
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
