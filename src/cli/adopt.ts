/** `sell-sink adopt`: gives records that are in Sell already their ERP key, so that the first run does not create them again. */
import { adopt, Tally } from "../adopt/adopt.ts";
import { type ErpKeys, KEYS_MAX } from "../adopt/erp-keys.ts";
import { type Sides, sidesByCsv, sidesByMatch } from "../adopt/sides.ts";
import type { Config } from "../config/spec.ts";
import { usageError } from "../domain/errors.ts";
import { systemClock } from "../lib/clock.ts";
import { countText } from "../lib/numbers.ts";
import { systemRandom } from "../lib/random.ts";
import { type RouteConfig, routeName } from "../map/config.ts";
import { adoptionAsJson, adoptionAsLines } from "./adopt-print.ts";
import { readConfig } from "./config-file.ts";
import { withExamples } from "./examples.ts";
import { EXIT } from "./exit.ts";
import { interruptible } from "./interruptible.ts";
import { progressOf } from "./progress.ts";
import type { Register } from "./register.ts";
import type { Terminal } from "./terminal.ts";
import { version } from "./version.ts";
import { waiting } from "./waiting.ts";

interface Options {
  readonly config: string;
  readonly route: string;
  readonly match?: string;
  readonly csv?: string;
  readonly dryRun?: true;
  readonly json?: true;
}

const INTRO = `
Run it before the first run, with --dry-run first. It reads the route's topic without joining the group (up to
${countText(KEYS_MAX)} keys are kept in memory), and all records of the route's entity, 100 a call. E-mail addresses
are compared without case; other text as it is, without blanks around it.

A key is written only where that is certain: one record, one key, and no key there yet. Nothing is asked, and nothing
is ever overwritten; what is ambiguous or conflicting is counted and named, for a person to decide, by --csv perhaps.
When it was interrupted, the same command goes on. No replica may run meanwhile.
`;

export const adoptCommand: Register = (program, terminal, done) => {
  const command = program
    .command("adopt")
    .description("give records that are in Sell already their ERP key, so that they are not created again")
    .requiredOption("-c, --config <file>", "configuration file (YAML)")
    .requiredOption("-r, --route <name>", "route whose keys they get: its name, or topic where that has one route only")
    .option("-m, --match <field>", "email, name or another field that the route maps, or <field>=<column>")
    .option("--csv <file>", "a file with lines of ERP key and Sell id instead: C-1001,90017")
    .option("--dry-run", "write nothing, only say what would be written")
    .option("--json", "print only the result, as JSON")
    .action(async (options: Options) => {
      const config = readConfig(options.config, terminal);
      done(config === null ? EXIT.usage : await run(config, options, terminal));
    });
  withExamples(command, {
    intro: INTRO,
    examples: [
      ["sell-sink adopt -c config.yaml --route erp.sales.customers --match email --dry-run"],
      ["sell-sink adopt -c config.yaml --route customers --match custom_fields.old_no=customer_no"],
      ["sell-sink adopt -c config.yaml --route customers --csv decided.csv"],
    ],
    exits: "0 nothing is in doubt, 1 some keys need a person (or it failed), 2 wrong usage or configuration",
  });
};

interface Job {
  readonly config: Config;
  readonly route: RouteConfig;
  readonly sides: Sides;
  readonly options: Options;
  readonly terminal: Terminal;
}

const run = async (config: Config, options: Options, terminal: Terminal): Promise<number> => {
  const route = routeOf(config, options.route);
  const sides = sidesOf(options, route, config.sell.keyField);
  const tally = new Tally();
  return interruptible(terminal, async (signal) => {
    try {
      const keys = await adoptInto(tally, { config, route, sides, options, terminal }, signal);
      const adoption = { route: routeName(route), entity: route.entity, isDry: options.dryRun === true, keys, tally };
      terminal.out(options.json ? adoptionAsJson(adoption) : adoptionAsLines(adoption, terminal));
      return isDoubtful(tally, keys) ? EXIT.failed : EXIT.done;
    } catch (error) {
      const written = tally.count("written");
      if (written > 0) terminal.err(`${countText(written)} keys are written; the same command goes on from here.\n`);
      throw error;
    }
  });
};

const isDoubtful = (tally: Tally, { unreadable }: ErpKeys): boolean =>
  unreadable + tally.count("ambiguous") + tally.count("conflicting") + tally.count("failed") > 0;

const adoptInto = async (tally: Tally, job: Job, signal: AbortSignal): Promise<ErpKeys> => {
  const { config, route, sides, options, terminal } = job;
  const deps = { clock: systemClock, random: systemRandom };
  const isDry = options.dryRun === true;
  // Loaded only here: no other command pays for the clients of Kafka, Redis and Sell.
  const { openDesk } = await import("../adopt/desk.ts");
  const opening = { ...deps, emit: waiting(terminal), version };
  await using desk = await openDesk(config, sides.uses, isDry, opening, signal);
  const progress = await progressOf(options.json === true, terminal);
  const keys = await progress.step(`Keys of ${options.csv ?? route.topic}`, ({ tell }) => {
    const told = (count: number, total: number): void => tell(`${countText(count)} of ${countText(total)} records`);
    const { admin, read } = desk.kafka;
    return sides.keys({ decoder: desk.decoder, admin, read, tell: told }, signal);
  });
  const { gate, store, target: crm } = desk;
  const { indexLagMs } = config.sell;
  const adopting = { ...deps, ...{ crm, gate, store, progress, isDry, indexLagMs }, entity: route.entity };
  await adopt(keys.texts, sides.textOf, tally, adopting, signal);
  return keys;
};

const sidesOf = ({ match, csv }: Options, route: RouteConfig, keyField: string): Sides => {
  if (match !== undefined && csv === undefined) return sidesByMatch(match, route, keyField);
  if (csv !== undefined && match === undefined) return sidesByCsv(csv, route);
  throw usageError("Give either --match or --csv: see sell-sink adopt --help.");
};

const routeOf = ({ routes }: Config, wanted: string): RouteConfig => {
  const named = routes.find((route) => routeName(route) === wanted);
  const ofTopic = routes.filter(({ topic }) => topic === wanted);
  const route = named ?? (ofTopic.length === 1 ? ofTopic[0] : undefined);
  if (route === undefined)
    throw usageError(`There is no route "${wanted}"; the configuration has ${routes.map(quotedName).join(", ")}.`);
  if (route.entity === "orders")
    throw usageError(
      "Orders carry no key of their own in Sell: adopt their deals, and each order is found by its deal.",
    );
  return route;
};

const quotedName = (route: RouteConfig): string => `"${routeName(route)}"`;
