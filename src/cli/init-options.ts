/** The options of `sell-sink init`: as they are typed, and as what shall be looked at and written. */
import { readFileSync } from "node:fs";
import { InvalidArgumentError } from "commander";
import { textOf } from "../config/load.ts";
import { type Problem, problemLines } from "../config/problem.ts";
import { secretValues } from "../config/secrets.ts";
import { usageError } from "../domain/errors.ts";
import { connectionsIn, type Named, TOKEN_VARIABLE } from "../init/connections.ts";
import type { InitOptions } from "../init/init.ts";
import { wishOf } from "../init/topics.ts";
import { tellProblems } from "./config-file.ts";
import type { Terminal } from "./terminal.ts";

export interface Options extends Named {
  readonly config?: string;
  readonly topic?: readonly string[];
  readonly owner?: string;
  readonly country?: string;
  readonly zone: string;
  readonly output: string;
  readonly force?: true;
  readonly dryRun?: true;
  readonly json?: true;
}

/** Null: what is wrong with the file was printed. Throws ConnectorError `USAGE`. */
export const askedFor = (options: Options, terminal: Terminal): InitOptions | null => {
  const { config: file, brokers, topic = [], sellUrl, owner = null, country = null, zone } = options;
  const { env, secrets } = terminal;
  if (file === undefined && brokers === undefined)
    throw usageError("Say where Kafka is: --brokers, or --config with a file that has kafka.brokers.");
  if (sellUrl !== undefined && file === undefined && !env[TOKEN_VARIABLE])
    throw usageError(
      `${TOKEN_VARIABLE} is not set: --sell-url needs the access token there; on a command line others could read it.`,
    );
  const text = file === undefined ? null : textOf(file);
  const connections =
    typeof text === "object" && text !== null
      ? refused(text)
      : connectionsIn(text, options, { env, readFile: readText });
  if (connections.status === "refused") {
    if (file === undefined) throw usageError(problemLines(connections.problems).join(" "));
    tellProblems(file, connections.problems, terminal);
    return null;
  }
  for (const secret of secretValues(connections.places, readText)) secrets.add(secret);
  return { wishes: topic.map(wishOf), connections, owner, country, zone };
};

const refused = (problem: Problem) => ({ status: "refused", problems: [problem] }) as const;

const readText = (path: string): string => readFileSync(path, "utf8");

/** Throws ConnectorError `USAGE`. */
export const refuseUnknown = async ({ zone, country }: Options): Promise<void> => {
  const { expressionProblems } = await import("../map/expression-problems.ts");
  const steps = [{ date: { zone, to: "date" as const } }, ...(country === undefined ? [] : [{ phone: country }])];
  const [problem] = expressionProblems({ from: "column", transform: steps, write: "always" });
  if (problem !== undefined) throw usageError(`sell-sink ${problem}`);
};

export const commaSeparated = (text: string): readonly string[] => text.split(",").map((part) => part.trim());

export const country = (text: string): string => {
  if (/^[A-Z]{2}$/.test(text)) return text;
  throw new InvalidArgumentError("It must be a country of two capital letters, like DE.");
};

export const email = (text: string): string => {
  if (/^[^\s@$]+@[^\s@$]+$/.test(text)) return text;
  throw new InvalidArgumentError("It must be an e-mail address.");
};
