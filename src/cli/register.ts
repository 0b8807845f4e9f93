/** The shape every command has. */
import type { Command } from "commander";
import type { Terminal } from "./terminal.ts";

/** Adds one command to the program; the command tells `done` its exit code. */
export type Register = (program: Command, terminal: Terminal, done: (code: number) => void) => void;
