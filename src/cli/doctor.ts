/** `sell-sink doctor`: everything around the connector that keeps it from working, or is about to, with the next step. */
import { lookup } from "node:dns/promises";
import type { Config } from "../config/spec.ts";
import { addressCheck, addressesOf, advertisedCheck } from "../doctor/addresses.ts";
import { clockCheck, sellTimeMs } from "../doctor/clocks.ts";
import { controlsCheck } from "../doctor/controls.ts";
import { copiesCheck } from "../doctor/copies.ts";
import { groupCheck, redisRightsCheck } from "../doctor/rights.ts";
import { topicChecks } from "../doctor/topics.ts";
import { systemClock } from "../lib/clock.ts";
import { systemRandom } from "../lib/random.ts";
import { connectRedis, type RedisConnection } from "../lib/redis.ts";
import { type Check, ok, warning } from "../online/check.ts";
import { callsMs, itemsPerCall } from "../plan/pace.ts";
import { readConfig } from "./config-file.ts";
import { withExamples } from "./examples.ts";
import { EXIT } from "./exit.ts";
import type { Register } from "./register.ts";
import { tellChecks } from "./tell-checks.ts";
import { version } from "./version.ts";

const INTRO = `
It checks all that validate --online does, and beyond that: addresses and TLS, what the brokers advertise, rights in Kafka
and Redis, retention against the time to drain, the settings of the dead-letter topic, clocks, versions. It writes nothing
to Kafka or Sell; in Redis it uses one key of its own for a moment. Sell's one or two calls take permits of the quota.
`;

export const doctorCommand: Register = (program, terminal, done) => {
  const command = program
    .command("doctor")
    .description("check everything the connector needs: each line ok, warning or failed, with the next step")
    .requiredOption("-c, --config <file>", "configuration file (YAML)")
    .option("--json", "print one JSON array of the findings")
    .action(async (options: { readonly config: string; readonly json?: true }) => {
      const config = readConfig(options.config, terminal);
      if (config === null) return done(EXIT.usage);
      done(await tellChecks(() => doctorChecks(config), terminal, options.json ? "json" : "lines"));
    });
  withExamples(command, {
    intro: INTRO,
    examples: [
      ["sell-sink doctor -c config.yaml"],
      [`sell-sink doctor -c config.yaml --json | jq '.[] | select(.status != "ok")'`],
    ],
    exits: "0 nothing failed (warnings included), 1 a check failed, 2 the configuration is wrong",
  });
};

const resolve = (host: string) => lookup(host, { all: true });

const doctorChecks = async (config: Config) => {
  // Loaded only here: no other command pays for the clients of Kafka, Redis and Sell.
  const { onlineChecks } = await import("./online-checks.ts");
  const closing = new AsyncDisposableStack();
  const online = closing.use(onlineChecks(config, { clock: systemClock, random: systemRandom, version }));
  const { connection } = online;
  const redis = config.redis === undefined ? null : connectRedis(config.redis);
  closing.defer(() => redis?.close());
  const drainMs = (records: bigint): number => callsMs(config, Number(records) / itemsPerCall(config));
  const checks: readonly Check[] = [
    versionsCheck,
    addressCheck(addressesOf(config), resolve),
    ...online.checks,
    advertisedCheck(() => connection().admin.brokers(), resolve),
    groupCheck(config, connection, systemClock),
    ...topicChecks(config, connection, drainMs),
    copiesCheck(config, connection),
    ...(redis === null ? [] : redisChecks(redis, userOf(config))),
    controlsCheck(config, redis),
    ...sellClock(config),
  ];
  return { checks, [Symbol.asyncDispose]: () => closing.disposeAsync() };
};

const versionsCheck: Check = {
  name: "versions",
  needs: [],
  waitsFor: "nothing",
  async run() {
    return [ok(`sell-sink ${version} on Node.js ${process.versions.node}, ${process.platform} ${process.arch}.`)];
  },
};

const redisChecks = (redis: RedisConnection, user: string): readonly Check[] => [
  redisRightsCheck(redis, user),
  clockCheck("Redis", ["redis"], () => redisTimeMs(redis), systemClock),
  {
    name: "version of Redis",
    needs: ["redis"],
    waitsFor: "redis.url",
    async run() {
      const found = /redis_version:(\d+)\.(\d+)[^\r\n]*/.exec(String(await redis.client.call("info", "server")));
      const [text = "unknown", major = "0", minor = "0"] = found ?? [];
      const isOld = Number(major) * 100 + Number(minor) < 602;
      const sentence = `Redis is of version ${text.replace("redis_version:", "")}`;
      return [isOld ? warning(`${sentence}, older than was tested.`, "use Redis 6.2 or later") : ok(`${sentence}.`)];
    },
  },
];

const userOf = ({ redis }: Config): string => {
  const inUrl = redis?.url === undefined ? "" : decodeURIComponent(new URL(redis.url).username);
  return redis?.username ?? (inUrl === "" ? "default" : inUrl);
};

const redisTimeMs = async ({ client }: RedisConnection): Promise<number> => {
  const [seconds, micros] = (await client.call("time")) as readonly [string, string];
  return Number(seconds) * 1_000 + Number(micros) / 1_000;
};

/** Only where nothing stands between: a proxy or a private authority is for Sell's own client. */
const sellClock = ({ sell }: Config): readonly Check[] =>
  sell.proxy === undefined && Object.keys(sell.tls).length === 0
    ? [clockCheck("Sell", ["sell"], (signal) => sellTimeMs(sell.baseUrl, signal), systemClock)]
    : [];
