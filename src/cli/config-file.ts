/** Reads the configuration for a command and prints what is wrong with it. */
import { readFileSync } from "node:fs";
import { loadConfig } from "../config/load.ts";
import { type Path, type Problem, problemLines } from "../config/problem.ts";
import { secretValues } from "../config/secrets.ts";
import type { Config } from "../config/spec.ts";
import { printable } from "../telemetry/text.ts";
import { styled, type Terminal } from "./terminal.ts";

/** The configuration, or null after its problems were printed; warnings are printed either way. */
export const readConfig = (file: string, terminal: Terminal): Config | null => {
  const loaded = loadConfig(file, terminal.env);
  const print = (title: string, problems: readonly Problem[]): void => {
    if (problems.length === 0) return;
    const lines = problemLines(problems).map((line) => `  ${printable(line)}\n`);
    terminal.err(`${title}\n${lines.join("")}`);
  };
  print(styled(terminal, "yellow", `${file}: ${counted(loaded.warnings.length, "warning")}`), loaded.warnings);
  if (loaded.status === "refused") {
    print(styled(terminal, "red", `${file}: ${counted(loaded.problems.length, "problem")}`), loaded.problems);
    return null;
  }
  for (const secret of secretValues(loaded.config, (path) => readFileSync(path, "utf8"))) terminal.secrets.add(secret);
  return loaded.config;
};

/** Where a setting stands in a file that was read before: `routes[0].paused (line 31)`. */
export const placeIn = (file: string, { env }: Pick<Terminal, "env">, path: Path): string => {
  const loaded = loadConfig(file, env);
  return loaded.status === "ok" ? loaded.placeOf(path) : file;
};

const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? "" : "s"}`;
