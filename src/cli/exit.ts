/** How a command ends: its exit code and, when something went wrong, one sentence. */
import { errorText, isConnectorError } from "../domain/errors.ts";
import { clean, styled, type Terminal } from "./terminal.ts";

/** Done; failed, perhaps only now; wrong usage or configuration, which will fail again. */
export const EXIT = { done: 0, failed: 1, usage: 2 } as const;

/** Codes of errors that only another command line or configuration can repair. */
const USAGE_CODES: ReadonlySet<string> = new Set(["ADMIN_PORT", "COLUMN_UNTYPED", "USAGE"]);

/** Prints one line for whatever was thrown, never a stack, and gives the exit code. */
export const failed = (error: unknown, terminal: Terminal): number => {
  terminal.err(`${styled(terminal, "red", "error:")} ${clean(terminal, errorText(error))}\n`);
  return isConnectorError(error) && USAGE_CODES.has(error.code) ? EXIT.usage : EXIT.failed;
};
