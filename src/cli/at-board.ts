/** Commands that leave notes for the running replicas, on the board that these read in Redis. */
import { hostname, userInfo } from "node:os";
import type { Command } from "commander";
import type { Config } from "../config/spec.ts";
import type { Board } from "../control/board.ts";
import type { ControlledRoute } from "../control/controls.ts";
import { ConnectorError, usageError } from "../domain/errors.ts";
import { systemClock } from "../lib/clock.ts";
import { nearest } from "../lib/nearest.ts";
import type { RedisConnection } from "../lib/redis.ts";
import { redisAtOnce } from "../lib/redis-at-once.ts";
import { refusalOf } from "../lib/redis-refusal.ts";
import { readConfig } from "./config-file.ts";
import { EXIT } from "./exit.ts";
import { interruptible } from "./interruptible.ts";
import type { Terminal } from "./terminal.ts";

export interface BoardOptions {
  readonly config: string;
  readonly who: string;
  readonly json?: true;
}

export interface AtBoard {
  readonly config: Config;
  readonly board: Board;
  readonly signal: AbortSignal;
}

export const boardOptions = (command: Command): Command =>
  command
    .requiredOption("-c, --config <file>", "configuration file (YAML), the same as the replicas'")
    .option("--who <name>", "who says so, for those who look at it later", whoAmI())
    .option("--json", "print JSON");

/** The exit code of `work`. Rejects with a sentence when there is no Redis, or it is away. */
export const atBoard = async (
  { config: file }: BoardOptions,
  terminal: Terminal,
  work: (context: AtBoard) => Promise<number>,
): Promise<number> => {
  const config = readConfig(file, terminal);
  if (config === null) return EXIT.usage;
  if (config.redis === undefined) {
    const message =
      'Without redis in the configuration nobody can tell the process anything: write paused: "why" under the route and restart, or configure redis.';
    throw usageError(message);
  }
  // Loaded only here: no other command pays for the client of Redis.
  const { connectRedis } = await import("../lib/redis.ts");
  const { redisBoard } = await import("../control/board.ts");
  const { controlPrefix } = await import("../wiring/controlled.ts");
  const redis = connectRedis(config.redis);
  try {
    return await interruptible(terminal, async (signal) => {
      await redisAtOnce(redis, systemClock, signal);
      const board = redisBoard(redis, controlPrefix(config));
      return await work({ config, board, signal }).catch((error: unknown) => {
        throw sentenceFor(error, redis);
      });
    });
  } finally {
    redis.close();
  }
};

const sentenceFor = (error: unknown, { address }: RedisConnection): unknown => {
  const refusal = refusalOf(error);
  if (refusal !== null) {
    const message = `Redis at ${address} refuses ${refusal.command}. ${refusal.needs}`;
    return new ConnectorError("REDIS_REFUSED", message, { retriable: false, cause: error });
  }
  return error;
};

/** The one route that is named, or all. Rejects wrong usage with a sentence. */
export const chosenRoutes = (
  routes: readonly ControlledRoute[],
  name: string | undefined,
  all: true | undefined,
): readonly ControlledRoute[] => {
  if ((name === undefined) === (all === undefined)) throw usageError("Name one route, or say --all.");
  if (name === undefined) return routes;
  const chosen = routes.filter((route) => route.name === name);
  if (chosen.length > 0) return chosen;
  const names = routes.map((route) => route.name);
  const meant = nearest(name, names);
  throw usageError(
    `There is no route "${name}"; ${meant === null ? `there are "${names.join('", "')}"` : `did you mean "${meant}"?`}`,
  );
};

const whoAmI = (): string => {
  const where = hostname();
  try {
    return `${userInfo().username}@${where}`;
  } catch {
    return where; // the user of a container often has no name
  }
};
