/** `sell-sink resume`: what a person paused goes on, and a brake is told what number is meant. */
import { InvalidArgumentError } from "commander";
import type { ControlledRoute } from "../control/controls.ts";
import { brakeField, pauseField } from "../control/notes.ts";
import { type Standing, standingOf, type Trip } from "../control/standing.ts";
import { usageError } from "../domain/errors.ts";
import { printable } from "../telemetry/text.ts";
import { controlledRoutes } from "../wiring/controlled.ts";
import { type AtBoard, atBoard, type BoardOptions, boardOptions, chosenRoutes } from "./at-board.ts";
import { placeIn } from "./config-file.ts";
import { withExamples } from "./examples.ts";
import { EXIT } from "./exit.ts";
import type { Register } from "./register.ts";
import type { Terminal } from "./terminal.ts";

const INTRO = `
What was held goes on in its order: nothing is lost, nothing is sent twice. A pause in the configuration is not lifted here.
A route that its brake stopped goes on when a number is accepted: so many deletions (or creations) an hour, for a day. For good
it is the setting brake of the route. Look at the keys first: sell-sink doctor names some.
`;

interface Options extends BoardOptions {
  readonly all?: true;
  readonly accept?: number;
}

export const resumeCommand: Register = (program, terminal, done) => {
  const command = program
    .command("resume [route]")
    .description("let a paused route, or all, go on; accept a number for one that its brake stopped")
    .option("--all", "every route of the configuration")
    .option("--accept <n>", "so many an hour are meant, for the next 24 hours", number);
  boardOptions(command).action(async (route: string | undefined, options: Options) =>
    done(await atBoard(options, terminal, (context) => resume(context, route, options, terminal))),
  );
  withExamples(command, {
    intro: INTRO,
    examples: [
      ["sell-sink resume -c config.yaml customers"],
      ["sell-sink resume -c config.yaml --all"],
      ["sell-sink resume -c config.yaml customers --accept 5000", "so many deletions an hour are meant"],
    ],
    exits: "0 it goes on, 1 something holds it still, 2 wrong usage or configuration",
  });
};

interface Told {
  readonly route: string;
  readonly topic: string;
  readonly resumed: boolean;
  readonly accepted: boolean;
  /** Sentences: what still holds it. */
  readonly heldBy: readonly string[];
}

const resume = async (
  context: AtBoard,
  name: string | undefined,
  options: Options,
  terminal: Terminal,
): Promise<number> => {
  const { config, board } = context;
  const routes = controlledRoutes(config);
  const chosen = chosenRoutes(routes, name, options.all);
  const { notes } = await board.look();
  if (options.accept !== undefined) refuseAccept(chosen, (route) => standingOf(route, notes), options.accept);
  const resumed = new Map<ControlledRoute, Standing>();
  for (const route of chosen) {
    const standing = standingOf(route, notes);
    await lift(context, route, standing, options);
    resumed.set(route, standing);
  }
  const after = (await board.look()).notes;
  const told = chosen.map((route): Told => {
    const { pause, trips } = resumed.get(route) ?? { pause: null, trips: [] };
    const isAccepted = options.accept !== undefined && trips.length > 0;
    const heldBy = routes
      .filter(({ topic }) => topic === route.topic)
      .flatMap((other) => holdsOf(other, standingOf(other, after), routes, options.config, terminal));
    return { route: route.name, topic: route.topic, resumed: pause !== null, accepted: isAccepted, heldBy };
  });
  if (options.json) terminal.out(`${JSON.stringify(told, null, 2)}\n`);
  else for (const each of told) tell(each, terminal);
  return told.every(({ heldBy }) => heldBy.length === 0) ? EXIT.done : EXIT.failed;
};

const lift = async ({ board }: AtBoard, { name }: ControlledRoute, { pause, trips }: Standing, options: Options) => {
  const { who, accept } = options;
  if (pause !== null) await board.put(pauseField(name), { state: "resumed", who });
  if (accept === undefined) return;
  for (const { kind } of trips) await board.put(brakeField(kind, name), { state: "accepted", limit: accept, who });
};

const refuseAccept = (
  chosen: readonly ControlledRoute[],
  standing: (route: ControlledRoute) => Standing,
  accept: number,
): void => {
  const [route, ...more] = chosen;
  if (route === undefined || more.length > 0) throw usageError("--accept is for one route: name it.");
  const { trips } = standing(route);
  if (trips.length === 0) throw usageError(`No brake holds route "${route.name}": there is nothing to accept.`);
  const low = trips.find(({ limit }) => accept <= limit);
  if (low !== undefined)
    throw usageError(`It tripped at ${low.limit} ${low.kind} an hour: accept a larger number, or leave it as it is.`);
};

const holdsOf = (
  route: ControlledRoute,
  { pause, trips }: Standing,
  routes: readonly ControlledRoute[],
  file: string,
  terminal: Terminal,
): readonly string[] => {
  const { name, paused } = route;
  const place = (): string => placeIn(file, terminal, ["routes", routes.indexOf(route), "paused"]);
  return [
    ...(paused === null ? [] : [`route "${name}" is paused by ${place()}: ${paused}; take that line out and restart`]),
    ...(pause === null ? [] : [`route "${name}" is paused by ${pause.who}: ${pause.why}`]),
    ...trips.map((trip) => tripText(name, trip)),
  ];
};

const tripText = (name: string, { kind, limit, samples }: Trip): string =>
  `the brake of route "${name}" tripped at ${limit} ${kind} an hour, the last keys are ${samples.join(", ")}; if they are meant, accept a number with --accept`;

const tell = ({ route, topic, resumed, accepted, heldBy }: Told, { out, err }: Terminal): void => {
  const done = [resumed ? "is resumed" : "was not paused by a person", ...(accepted ? ["its brake is released"] : [])];
  out(`Route "${printable(route)}" ${done.join(", ")}${heldBy.length === 0 ? `: ${topic} goes on` : ""}.\n`);
  for (const hold of heldBy) err(`${topic} still stands: ${printable(hold)}.\n`);
};

const number = (text: string): number => {
  if (/^[1-9]\d{0,6}$/.test(text) && Number(text) <= 1_000_000) return Number(text);
  throw new InvalidArgumentError("It must be a whole number from 1 to 1000000.");
};
