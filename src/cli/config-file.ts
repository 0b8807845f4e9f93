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
  tell(styled(terminal, "yellow", `${file}: ${counted(loaded.warnings.length, "warning")}`), loaded.warnings, terminal);
  if (loaded.status === "refused") {
    tellProblems(file, loaded.problems, terminal);
    return null;
  }
  for (const secret of secretValues(loaded.config, (path) => readFileSync(path, "utf8"))) terminal.secrets.add(secret);
  return loaded.config;
};

export const tellProblems = (file: string, problems: readonly Problem[], terminal: Terminal): void => {
  const title = `${file}: ${counted(problems.length, "problem")}`;
  tell(styled(terminal, "red", title), problems, terminal);
  terminal.failures.push({ code: "CONFIG", message: title, problems });
};

const tell = (title: string, problems: readonly Problem[], { err }: Terminal): void => {
  if (problems.length === 0) return;
  const lines = problemLines(problems).map((line) => `  ${printable(line)}\n`);
  err(`${title}\n${lines.join("")}`);
};

/** Where a setting stands in a file that was read before: `routes[0].paused (line 31)`. */
export const placeIn = (file: string, { env }: Pick<Terminal, "env">, path: Path): string => {
  const loaded = loadConfig(file, env);
  return loaded.status === "ok" ? loaded.placeOf(path) : file;
};

const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? "" : "s"}`;
