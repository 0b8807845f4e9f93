/** `sell-sink pause`: a route stands still in every replica. */
import { pauseField } from "../control/notes.ts";
import { printable } from "../telemetry/text.ts";
import { controlledRoutes } from "../wiring/controlled.ts";
import { type AtBoard, atBoard, type BoardOptions, boardOptions, chosenRoutes } from "./at-board.ts";
import { withExamples } from "./examples.ts";
import { EXIT } from "./exit.ts";
import type { Register } from "./register.ts";
import type { Terminal } from "./terminal.ts";

const INTRO = `
The topic of the route stands still in every replica within about two seconds, and with it every other route that reads the
topic: nothing of it is sent, read on or committed. Other topics go on. Calls on the wire end as they do, and one whose outcome
nobody knows is repeated until it is known.
The pause lasts over restarts of the replicas, until sell-sink resume. It is kept in Redis: if Redis loses it, the replicas that
run write it anew, but if none runs then, it is gone. To be sure, write paused: "why" under the route in the configuration.
`;

interface Options extends BoardOptions {
  readonly all?: true;
  readonly why: string;
}

export const pauseCommand: Register = (program, terminal, done) => {
  const command = program
    .command("pause [route]")
    .description("let a route, or all, stand still in every replica, until it is resumed")
    .option("--all", "every route of the configuration")
    .requiredOption("--why <text>", "the reason, for those who look at it later");
  boardOptions(command).action(async (route: string | undefined, options: Options) =>
    done(await atBoard(options, terminal, (context) => pause(context, route, options, terminal))),
  );
  withExamples(command, {
    intro: INTRO,
    examples: [
      [`sell-sink pause -c config.yaml customers --why "the ERP writes wrong prices"`],
      [`sell-sink pause -c config.yaml --all --why "Sell is being cleaned up"`],
    ],
    exits: "0 paused, 1 Redis could not be asked, 2 wrong usage or configuration",
  });
};

const pause = async (
  { config, board }: AtBoard,
  route: string | undefined,
  { all, who, why, json }: Options,
  { out }: Terminal,
): Promise<number> => {
  const routes = controlledRoutes(config);
  const paused = [];
  for (const { name, topic } of chosenRoutes(routes, route, all)) {
    const sinceMs = await board.put(pauseField(name), { state: "paused", who, why });
    const withIt = routes.filter((other) => other.topic === topic && other.name !== name).map((other) => other.name);
    paused.push({ route: name, topic, who, why, sinceMs, withIt });
  }
  if (json) out(`${JSON.stringify(paused, null, 2)}\n`);
  else
    for (const { route: name, topic, withIt } of paused) {
      out(`Route "${printable(name)}" is paused: ${topic} stands still in every replica within two seconds.\n`);
      if (!all && withIt.length > 0)
        out(`With it stands "${withIt.map(printable).join('", "')}", which reads the same topic.\n`);
    }
  return EXIT.done;
};
