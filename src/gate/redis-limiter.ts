/** The quota of all replicas, decided in Redis by scripts, so that asking and granting are one step. */
import assert from "node:assert";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { Lane } from "../domain/mutation.ts";
import type { Incident } from "../domain/stages.ts";
import type { RedisConnection } from "../lib/redis.ts";
import {
  type Ask,
  COOLDOWN_BEAT_MS,
  granted,
  HELD_BY,
  type Look,
  type News,
  QuotaLimiter,
  QuotaReply,
  QuotaState,
} from "./limiter.ts";
import type { Quota } from "./quota.ts";

export interface RedisLimiterOptions {
  readonly client: RedisConnection["client"];
  readonly quota: Quota;
  /** What shares the quota, an account or a token; only its hash appears in Redis. */
  readonly scopeText: string;
  readonly replicaId: string;
  /** Tests turn the hands of the scripts' clock; in production it is that of the Redis server. */
  readonly testNowMs?: () => number;
  /** Tests plant faults, on a client of their own. */
  readonly testLua?: (text: string) => string;
}

export class RedisLimiter extends QuotaLimiter {
  override readonly keyPrefix: string;
  readonly #client: Client & Scripts;
  readonly #replicaId: string;
  readonly #now: () => string;
  #quota: string;

  constructor({ client, quota, scopeText, replicaId, testNowMs, testLua }: RedisLimiterOptions) {
    super();
    this.#client = withScripts(client, testLua ?? ((text) => text));
    this.#quota = textOf(quota);
    this.#replicaId = replicaId.replaceAll(/\s/g, "-");
    this.#now = testNowMs === undefined ? () => "" : () => String(testNowMs());
    this.keyPrefix = quotaKeyPrefix(scopeText);
  }

  override async consume(lane: Lane, _points: 1, { more, news }: Ask): Promise<QuotaReply> {
    const asked = [lane === "live" ? "0" : "1", more ? "1" : "0"];
    return granted(replyOf(await this.#client.sellSinkTake(...this.#opening(news), ...asked)));
  }

  override async block(_key: "all", seconds: number, news: News): Promise<QuotaReply> {
    const cooldown = { endsAt: news.cooldown.endsAt, leftMs: seconds * 1_000 };
    return replyOf(await this.#client.sellSinkTell(...this.#opening({ ...news, cooldown })));
  }

  override async get(_key: "all"): Promise<QuotaState> {
    return new QuotaState(lookOf(await this.#client.sellSinkPeek(...this.#looking())));
  }

  override adjust(quota: Quota): void {
    this.#quota = textOf(quota);
  }

  #looking(): string[] {
    const keys = ["s", "r", "t0", "t1", "m", "i"].map((part) => `${this.keyPrefix}:${part}`);
    return [...keys, this.#quota, this.#now(), this.#replicaId];
  }

  #opening({ cooldown, ...news }: News): string[] {
    const told = { endsAt: cooldown.endsAt, leftMs: Math.max(0, cooldown.leftMs), ...news };
    return [...this.#looking(), JSON.stringify(told, (_, value) => value ?? undefined)];
  }
}

/** The braces keep all keys of one quota in one slot of a Redis Cluster. */
export const quotaKeyPrefix = (scopeText: string): string =>
  `sell:q:{${createHash("sha256").update(scopeText).digest("hex").slice(0, 16)}}`;

/** With a head start for every living replica to repeat a running cool-down: one beat, and the time to reconnect. */
const textOf = (quota: Quota): string =>
  JSON.stringify({ ...quota, coldMs: Math.max(quota.coldMs, 2 * COOLDOWN_BEAT_MS) });

type Client = RedisConnection["client"];
type Script = (...keysAndArguments: string[]) => Promise<unknown>;
type Scripts = Readonly<Record<"sellSinkTake" | "sellSinkTell" | "sellSinkPeek", Script>>;

/** Commands of our own on the caller's client; they load themselves again after a restart of Redis. */
const withScripts = (client: Client, patched: (text: string) => string): Client & Scripts => {
  const define = (name: keyof Scripts, ...parts: readonly string[]): void =>
    client.defineCommand(name, { numberOfKeys: 6, lua: patched(parts.map(lua).join("")) });
  define("sellSinkTake", "state", "news", "open", "take");
  define("sellSinkTell", "state", "news", "open", "tell");
  define("sellSinkPeek", "state", "peek");
  return client as Client & Scripts;
};

const lua = (name: string): string => `${readFileSync(new URL(`./${name}.lua`, import.meta.url), "utf8")}\n`;

const replyOf = (reply: unknown): QuotaReply => {
  assert(Array.isArray(reply) && reply.length === 10, "take.lua and tell.lua answer with ten values");
  const [granted, waitMs, endsAt, leftMs, replicas, incarnation, cold, slotMs, incident, heldBy] = reply;
  return new QuotaReply(
    {
      granted: granted === 1,
      cooldown: { endsAt: String(endsAt), leftMs: Number(leftMs) },
      replicas: Number(replicas),
      incarnation: String(incarnation),
      cold: cold === 1,
      slotMs: Number(slotMs),
      incident: incident === "" ? null : incidentOf(String(incident)),
      heldBy: HELD_BY.find((reason) => reason === heldBy) ?? null,
    },
    Number(waitMs),
  );
};

const lookOf = (reply: unknown): Look => {
  assert(Array.isArray(reply), "peek.lua answers with a list");
  const [state, ...incidents] = reply.map(String);
  const { announced = null, used, ...look } = JSON.parse(state ?? "{}");
  return { ...look, announced, used: listOf(used), incidents: incidents.map(incidentOf) };
};

const incidentOf = (text: string): Incident => {
  const incident = JSON.parse(text);
  return { ...incident, windows: listOf(incident.windows) };
};

/** Lua writes an empty list as an empty object. */
const listOf = <T>(list: Readonly<Record<string, T>>): T[] => Object.values(list);
