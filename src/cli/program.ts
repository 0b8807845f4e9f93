/** The command line: one file a command, gathered here. */
import { Command, CommanderError } from "commander";
import { adoptCommand } from "./adopt.ts";
import { dlqCommand } from "./dlq.ts";
import { doctorCommand } from "./doctor.ts";
import { hintFor } from "./examples.ts";
import { EXIT, failed } from "./exit.ts";
import { initCommand } from "./init.ts";
import { lagCommand } from "./lag.ts";
import { commandMeant, misspeltOption } from "./mistakes.ts";
import { pauseCommand } from "./pause.ts";
import { planCommand } from "./plan.ts";
import { previewCommand } from "./preview.ts";
import { quotaCommand } from "./quota.ts";
import type { Register } from "./register.ts";
import { resumeCommand } from "./resume.ts";
import { resyncCommand } from "./resync.ts";
import { runCommand } from "./run.ts";
import { sandboxCommand } from "./sandbox.ts";
import { skipCommand } from "./skip.ts";
import { styled, type Terminal } from "./terminal.ts";
import { testCommand } from "./test-mapping.ts";
import { validateCommand } from "./validate.ts";
import { version } from "./version.ts";
import { givenUp } from "./waiting.ts";

const EXAMPLES = `
Examples:
  sell-sink demo                           see it work, on services it finds or starts itself
  sell-sink sandbox --port 8600            a simulator of Zendesk Sell to try a mapping on
  sell-sink init --brokers kafka:9092      a first configuration, from the topics that are there
  sell-sink validate --config config.yaml  everything that is wrong with a configuration, at once
  sell-sink validate --config config.yaml --online   and whether services and records agree with it
  sell-sink preview --config config.yaml --file rows.csv   what rows would become, with no service at all
  sell-sink adopt --config config.yaml --route customers --match email --dry-run   before the first run
  sell-sink test config/example.test.yaml  unit tests of a mapping
  sell-sink plan --config config.yaml      calls and time that the backlog would take; sends nothing
  sell-sink run --config config.yaml       deliver until SIGTERM or Ctrl-C
  sell-sink lag --config config.yaml       how far behind, how fast, until when
  sell-sink quota --config config.yaml     how the quota stands, and what to change
  sell-sink pause --config config.yaml customers --why "wrong prices"   a route stands still in every replica
  sell-sink resume --config config.yaml customers   and goes on; --accept N for one that its brake stopped
  sell-sink skip --config config.yaml T 3 1041 --why "ticket 7"   one record to the dead letters, to release its partition
  sell-sink doctor --config config.yaml    whether everything around it is as it should be
  sell-sink dlq list --config config.yaml  what Sell would not take, and whether that is healed since
  sell-sink resync --config config.yaml --topic T --dry-run   write again what people edited in Sell

Exit codes: 0 done, 1 failed, 2 wrong usage or configuration; interrupted: 128 and the signal's number (Ctrl-C: 130).
--json: stdout holds one JSON document, or one a line, and nothing else; of a failure {"error": {"code", "message"}}.
`;

/** Runs one command line (without node and script) and resolves with its exit code; never rejects. */
export const runProgram = async (args: readonly string[], terminal: Terminal): Promise<number> => {
  let isTold = false;
  const out = (text: string): void => {
    isTold = true;
    terminal.out(text);
  };
  const code = await runCommandLine(args, { ...terminal, out });
  // A program that asked for JSON gets some, whatever happened; behind lines of a stream it is the last one.
  const error = terminal.failures.at(-1) ?? (isTold ? null : { code: "FAILED", message: "It failed; see stderr." });
  if (code !== EXIT.done && args.includes("--json") && error !== null) terminal.out(`${JSON.stringify({ error })}\n`);
  return code;
};

const runCommandLine = async (args: readonly string[], terminal: Terminal): Promise<number> => {
  let code: number = EXIT.done;
  const program = await createProgram(terminal, (result) => {
    code = result;
  });
  const misspelt = misspeltOption(program, args);
  if (misspelt !== null) {
    const { command, message } = misspelt;
    terminal.err(`${styled(terminal, "red", "error:")} ${message}\n${hintFor(command, terminal)}\n`);
    return wrongUsage(message, terminal);
  }
  program.showHelpAfterError(hintFor(commandMeant(program, args[0] ?? ""), terminal));
  try {
    await program.parseAsync(args, { from: "user" });
    return code;
  } catch (error) {
    if (!(error instanceof CommanderError)) return failed(givenUp(error), terminal);
    if (error.exitCode === 0) return EXIT.done;
    return wrongUsage(error.message, terminal);
  }
};

const wrongUsage = (message: string, { failures }: Terminal): number => {
  failures.push({ code: "USAGE", message: message.replace(/^error: /, "").replaceAll("\n", " ") });
  return EXIT.usage;
};

/** All commands; the command that runs tells `done` its exit code. */
export const createProgram = async (terminal: Terminal, done: (code: number) => void): Promise<Command> => {
  const program = new Command("sell-sink")
    .description(
      "Streams ERP change data from Kafka into Zendesk Sell, inside the quota, committed only after acceptance.",
    )
    .version(version)
    .addHelpText("after", EXAMPLES)
    .configureHelp({ styleTitle: (title) => styled(terminal, "bold", title) })
    .configureOutput({ writeOut: terminal.out, writeErr: terminal.err })
    .exitOverride();
  const { demoCommand } = await import("./demo.ts");
  const commands: readonly Register[] = [
    initCommand,
    runCommand,
    validateCommand,
    previewCommand,
    planCommand,
    testCommand,
    adoptCommand,
    lagCommand,
    quotaCommand,
    pauseCommand,
    resumeCommand,
    skipCommand,
    doctorCommand,
    dlqCommand,
    resyncCommand,
    sandboxCommand,
    demoCommand,
  ];
  for (const register of commands) register(program, terminal, done);
  for (const command of commandsOf(program)) command.showHelpAfterError(hintFor(command, terminal));
  return program;
};

/** Those below others too. */
export const commandsOf = (parent: Command): readonly Command[] =>
  parent.commands.flatMap((command) => [command, ...commandsOf(command)]);
