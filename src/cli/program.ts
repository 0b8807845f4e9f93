/** The command line: one file a command, gathered here. */
import { Command, CommanderError } from "commander";
import { EXIT, failed } from "./exit.ts";
import type { Register } from "./register.ts";
import { runCommand } from "./run.ts";
import { sandboxCommand } from "./sandbox.ts";
import { styled, type Terminal } from "./terminal.ts";
import { validateCommand } from "./validate.ts";
import { version } from "./version.ts";

const EXAMPLES = `
Examples:
  sell-sink demo                           see it work, on services it finds or starts itself
  sell-sink sandbox --port 8600            a simulator of Zendesk Sell to try a mapping on
  sell-sink validate --config config.yaml  everything that is wrong with a configuration, at once
  sell-sink validate --config config.yaml --online   and whether services and records agree with it
  sell-sink run --config config.yaml       deliver until SIGTERM or Ctrl-C

Exit codes: 0 done, 1 failed, 2 wrong usage or configuration.
`;

/** Runs one command line (without node and script) and resolves with its exit code; never rejects. */
export const runProgram = async (args: readonly string[], terminal: Terminal): Promise<number> => {
  let code: number = EXIT.done;
  const program = await createProgram(terminal, (result) => {
    code = result;
  });
  try {
    await program.parseAsync(args, { from: "user" });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
    return failed(error, terminal);
  }
};

const createProgram = async (terminal: Terminal, done: (code: number) => void): Promise<Command> => {
  const program = new Command("sell-sink")
    .description(
      "Streams ERP change data from Kafka into Zendesk Sell, inside the quota, committed only after acceptance.",
    )
    .version(version)
    .addHelpText("after", EXAMPLES)
    .showHelpAfterError("(sell-sink --help shows what there is)")
    .configureHelp({ styleTitle: (title) => styled(terminal, "bold", title) })
    .configureOutput({ writeOut: terminal.out, writeErr: terminal.err })
    .exitOverride();
  const { demoCommand } = await import("./demo.ts");
  const commands: readonly Register[] = [runCommand, validateCommand, sandboxCommand, demoCommand];
  for (const register of commands) register(program, terminal, done);
  for (const command of program.commands) command.copyInheritedSettings(program);
  return program;
};
