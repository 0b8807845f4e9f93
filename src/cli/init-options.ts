/** The options of `sell-sink init`: as they are typed, and as what shall be looked at and written. */
import { InvalidArgumentError } from "commander";
import type { z } from "zod";
import { configSchema } from "../config/spec.ts";
import { usageError } from "../domain/errors.ts";
import type { InitOptions } from "../init/init.ts";
import { wishOf } from "../init/topics.ts";
import { VARIABLES } from "../init/write-config.ts";
import type { Terminal } from "./terminal.ts";

export interface Options {
  readonly brokers: readonly string[];
  readonly registry?: string;
  readonly redis?: string;
  readonly topic?: readonly string[];
  readonly sellUrl?: string;
  readonly group: string;
  readonly keyField: string;
  readonly owner?: string;
  readonly country?: string;
  readonly zone: string;
  readonly output: string;
  readonly force?: true;
  readonly dryRun?: true;
  readonly json?: true;
}

/** Throws ConnectorError `USAGE`. */
export const askedFor = (options: Options, { env, secrets }: Terminal): InitOptions => {
  const { brokers, registry, redis, topic = [], sellUrl, group: groupId, keyField, owner, country, zone } = options;
  const token = env[VARIABLES.token];
  if (sellUrl !== undefined && !token)
    throw usageError(
      `${VARIABLES.token} is not set: --sell-url needs the access token there; on a command line others could read it.`,
    );
  for (const secret of [token, passwordIn(registry), passwordIn(redis)]) if (secret) secrets.add(secret);
  const places = checkedPlaces({
    kafka: { brokers, groupId },
    sell: { token: "unset", keyField, ...(sellUrl === undefined ? {} : { baseUrl: sellUrl }) },
    ...(registry === undefined ? {} : { schemaRegistry: { url: registry } }),
    ...(redis === undefined ? {} : { redis: { url: redis } }),
  });
  return {
    wishes: topic.map(wishOf),
    settings: {
      ...{ brokers, groupId, keyField, owner: owner ?? null, sellUrl: places.sell.baseUrl },
      registry: writtenAs(registry, VARIABLES.registry),
      redis: writtenAs(redis, VARIABLES.redis),
    },
    ...{ registryUrl: registry ?? null, redisUrl: redis ?? null, country: country ?? null, zone },
    token: sellUrl === undefined ? null : (token ?? null),
  };
};

/** Throws ConnectorError `USAGE`. */
export const refuseUnknown = async ({ zone, country }: Options): Promise<void> => {
  const { expressionProblems } = await import("../map/expression-problems.ts");
  const steps = [{ date: { zone, to: "date" as const } }, ...(country === undefined ? [] : [{ phone: country }])];
  const [problem] = expressionProblems({ from: "column", transform: steps, write: "always" });
  if (problem !== undefined) throw usageError(`sell-sink ${problem}`);
};

const PLACES = configSchema.pick({ kafka: true, sell: true, schemaRegistry: true, redis: true });

const checkedPlaces = (places: object): z.infer<typeof PLACES> => {
  const parsed = PLACES.safeParse(places);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const [section = "", name = ""] = issue?.path.map(String) ?? [];
  throw usageError(`${OPTIONS[`${section}.${name}`] ?? section} ${issue?.message}.`);
};

const OPTIONS: Readonly<Record<string, string>> = {
  "kafka.brokers": "--brokers",
  "kafka.groupId": "--group",
  "sell.baseUrl": "--sell-url",
  "sell.keyField": "--key-field",
  "schemaRegistry.url": "--registry",
  "redis.url": "--redis",
};

const passwordIn = (url: string | undefined): string | null => URL.parse(url ?? "")?.password || null;

/** A file that is shown around holds no password. */
const writtenAs = (url: string | undefined, variable: string): string | null => {
  if (url === undefined) return null;
  return passwordIn(url) === null ? url : `\${${variable}}`;
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
