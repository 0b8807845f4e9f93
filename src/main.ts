/** The process: one command line, its exit code, and last words when something nobody expected goes wrong. */
import { EXIT, exitOf, failed } from "./cli/exit.ts";
import { runProgram } from "./cli/program.ts";
import { processTerminal } from "./cli/terminal.ts";

/** Resolves with the exit code of the command; `argv` as in `process.argv`. */
export const main = (argv: readonly string[]): Promise<number> => {
  const terminal = processTerminal(process);
  // State is unknown after either: better to exit at once and resume from the committed offsets.
  const lastWords = (error: unknown): never => {
    failed(error, terminal);
    process.exit(EXIT.failed);
  };
  process.on("uncaughtException", lastWords);
  process.on("unhandledRejection", lastWords);
  process.stdout.on("error", endOfPipe);
  process.stderr.on("error", () => {}); // nobody listens: that changes nothing
  return runProgram(argv.slice(2), terminal);
};

/** Whoever read the output went away (`| head`): the end, by way of whoever has something to finish. */
const endOfPipe = (error: Error): void => {
  if (!("code" in error) || error.code !== "EPIPE") throw error;
  if (!process.emit("SIGPIPE", "SIGPIPE")) process.exit(exitOf("SIGPIPE"));
};

if (import.meta.main) process.exit(await main(process.argv));
