/** How a command ends: its exit code and, when something went wrong, one sentence. */
import { constants } from "node:os";
import { errorText, isConnectorError } from "../domain/errors.ts";
import { clean, styled, type Terminal } from "./terminal.ts";

/** Done; failed, perhaps only now; wrong usage or configuration, which will fail again. */
export const EXIT = { done: 0, failed: 1, usage: 2 } as const;

/** Codes of errors that only another command line or configuration can repair. */
const USAGE_CODES: ReadonlySet<string> = new Set(["ADMIN_PORT", "COLUMN_UNTYPED", "FILE_UNREADABLE", "USAGE"]);

/** Prints one line for whatever was thrown, never a stack, and gives the exit code. */
export const failed = (error: unknown, terminal: Terminal): number => {
  const message = clean(terminal, errorText(error));
  terminal.err(`${styled(terminal, "red", "error:")} ${message}\n`);
  const code = isConnectorError(error) ? error.code : "FAILED";
  terminal.failures.push({ code, message });
  return USAGE_CODES.has(code) ? EXIT.usage : EXIT.failed;
};

/** Called off by a signal, by its name: 128 and its number, as shells have it. */
export const exitOf = (signal: unknown): number => 128 + (constants.signals[signal as NodeJS.Signals] ?? 0);
