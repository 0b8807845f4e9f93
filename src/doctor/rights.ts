/** Does this user have the rights the connector needs? Asked by using them, harmlessly. */
import { randomUUID } from "node:crypto";
import type { Config } from "../config/spec.ts";
import type { Clock } from "../lib/clock.ts";
import { A_MOMENT, patiently } from "../lib/patiently.ts";
import type { RedisConnection } from "../lib/redis.ts";
import { type Check, failed, ok } from "../online/check.ts";
import type { KafkaConnection } from "../source/connect-kafka.ts";
import { topicsOf } from "../wiring/topic-formats.ts";

/** The group may be read: joining it needs the same right. Write on the dead letters shows only when one is written. */
export const groupCheck = (
  { kafka, deadLetter, ...config }: Config,
  connection: () => KafkaConnection,
  clock: Clock,
): Check => ({
  name: "rights in Kafka",
  needs: ["kafka", ...topicsOf(config).map((topic) => `topic ${topic}`)],
  waitsFor: "the brokers",
  async run(signal) {
    const { admin } = connection();
    const acl = `kafka-acls.sh --bootstrap-server ${kafka.brokers[0]} --add --allow-principal User:NAME`;
    const ends = await admin.endOffsets(topicsOf(config));
    const isAllowed = async (): Promise<boolean> => {
      const asked = admin.committed(kafka.groupId, ends);
      return asked.then(() => true).catch(unlessRefused);
    };
    if (!(await patiently(clock, A_MOMENT, isAllowed, signal))) {
      const sentence = `This user may not read the group ${kafka.groupId}.`;
      return [failed(sentence, `${acl} --operation Read --group ${kafka.groupId}`)];
    }
    return [ok(`The group ${kafka.groupId} may be read; writing to ${deadLetter.topic} was not tried.`)];
  },
});

const unlessRefused = (error: unknown): false => {
  if (String(error).includes("GROUP_AUTHORIZATION_FAILED")) return false;
  throw error;
};

/** Every command of the README's ACL, on a key of its own that is deleted at once. */
export const REDIS_COMMANDS: readonly (readonly [name: string, ...args: readonly string[]])[] = [
  ["set", "1", "PX", "1000"],
  ["incrby", "1"],
  ["pttl"],
  ["get"],
  ["mget"],
  ["exists"],
  ["pexpire", "1000"],
  ["del"],
  ["hset", "f", "1"],
  ["hget", "f"],
  ["hgetall"],
  ["hmget", "f"],
  ["hdel", "f"],
  ["lpush", "1"],
  ["lindex", "0"],
  ["llen"],
  ["lrange", "0", "0"],
  ["ltrim", "1", "0"],
  ["zadd", "1", "a"],
  ["zcard"],
  ["zrange", "0", "1"],
  ["zrangebyscore", "0", "1"],
  ["zrank", "a"],
  ["zscore", "a"],
  ["zremrangebyscore", "0", "0"],
  ["zrem", "a"],
];

export const redisRightsCheck = ({ client }: Pick<RedisConnection, "client">, user: string): Check => ({
  name: "rights in Redis",
  needs: [],
  waitsFor: "redis.url",
  async run() {
    const key = `sell:doctor:${randomUUID()}`;
    const missing: string[] = [];
    const attempt = async (command: string, ...args: readonly string[]): Promise<void> => {
      try {
        await client.call(command, ...args);
      } catch (error) {
        if (!String(error).includes("NOPERM")) throw error;
        missing.push(`+${command}`);
      }
    };
    for (const [command, ...args] of REDIS_COMMANDS) await attempt(command, key, ...args);
    await attempt("eval", "return 1", "0");
    await attempt("time");
    await attempt("info", "server");
    if (missing.length === 0) return [ok(`The Redis user ${user} has every command it needs on the keys sell:*.`)];
    const sentence = `The Redis user ${user} lacks ${missing.join(" ")}, or the keys sell:*.`;
    return [failed(sentence, `redis-cli ACL SETUSER ${user} '~sell:*' ${missing.join(" ")}`)];
  },
});
