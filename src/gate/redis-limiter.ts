/** The quota of all replicas, decided in Redis by scripts, so that asking and granting are one step. */
import assert from "node:assert";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { Redis } from "ioredis";
import type { Lane } from "../domain/mutation.ts";
import {
  type Ask,
  COOLDOWN_BEAT_MS,
  granted,
  type KnownCooldown,
  QuotaLimiter,
  QuotaReply,
  QuotaState,
} from "./limiter.ts";
import type { Quota } from "./quota.ts";

export interface RedisLimiterOptions {
  readonly client: Redis;
  readonly quota: Quota;
  /** What shares the quota, an account or a token; only its hash appears in Redis. */
  readonly scopeText: string;
  readonly replicaId: string;
  /** Tests turn the hands of the scripts' clock; in production it is that of the Redis server. */
  readonly testNowMs?: () => number;
}

export class RedisLimiter extends QuotaLimiter {
  override readonly keyPrefix: string;
  readonly #client: Redis & Scripts;
  readonly #quota: string;
  readonly #replicaId: string;
  readonly #now: () => string;

  constructor({ client, quota, scopeText, replicaId, testNowMs }: RedisLimiterOptions) {
    super();
    this.#client = withScripts(client);
    // A head start for every living replica to repeat a running cool-down: one beat, and the time to reconnect.
    this.#quota = JSON.stringify({ ...quota, coldMs: Math.max(quota.coldMs, 2 * COOLDOWN_BEAT_MS) });
    this.#replicaId = replicaId.replaceAll(/\s/g, "-");
    this.#now = testNowMs === undefined ? () => "" : () => String(testNowMs());
    // The braces keep all keys of one quota in one slot of a Redis Cluster.
    this.keyPrefix = `sell:q:{${createHash("sha256").update(scopeText).digest("hex").slice(0, 16)}}`;
  }

  override async consume(lane: Lane, _points: 1, { more, cooldown }: Ask): Promise<QuotaReply> {
    const asked = [lane === "live" ? "0" : "1", more ? "1" : "0"];
    return granted(replyOf(await this.#client.sellSinkTake(...this.#keys(), ...this.#known(cooldown), ...asked)));
  }

  override async block(_key: "all", seconds: number, { endsAt }: { readonly endsAt: string }): Promise<QuotaReply> {
    const known = this.#known({ endsAt, leftMs: seconds * 1_000 });
    return replyOf(await this.#client.sellSinkTell(...this.#keys(), ...known));
  }

  override async get(_key: "all"): Promise<QuotaState> {
    const reply = await this.#client.sellSinkPeek(...this.#keys(), this.#quota, this.#now());
    const [leftMs, replicas, ...used] = numbers(reply);
    assert(leftMs !== undefined && replicas !== undefined, "peek.lua answers with at least two numbers");
    return new QuotaState(leftMs, replicas, used);
  }

  #keys(): string[] {
    return ["s", "r", "t0", "t1", "m"].map((part) => `${this.keyPrefix}:${part}`);
  }

  #known({ endsAt, leftMs }: KnownCooldown): string[] {
    return [this.#quota, this.#now(), this.#replicaId, endsAt, String(Math.max(0, leftMs))];
  }
}

type Script = (...keysAndArguments: string[]) => Promise<unknown>;
type Scripts = Readonly<Record<"sellSinkTake" | "sellSinkTell" | "sellSinkPeek", Script>>;

/** Commands of our own on the caller's client; they load themselves again after a restart of Redis. */
const withScripts = (client: Redis): Redis & Scripts => {
  client.defineCommand("sellSinkTake", { numberOfKeys: 5, lua: lua("open") + lua("take") });
  client.defineCommand("sellSinkTell", { numberOfKeys: 5, lua: lua("open") + lua("tell") });
  client.defineCommand("sellSinkPeek", { numberOfKeys: 5, lua: lua("peek") });
  return client as Redis & Scripts;
};

const lua = (name: string): string => `${readFileSync(new URL(`./${name}.lua`, import.meta.url), "utf8")}\n`;

const replyOf = (reply: unknown): QuotaReply => {
  assert(Array.isArray(reply) && reply.length === 7, "take.lua and tell.lua answer with seven values");
  const [granted, waitMs, endsAt, leftMs, replicas, incarnation, cold] = reply;
  return new QuotaReply(
    {
      granted: granted === 1,
      cooldown: { endsAt: String(endsAt), leftMs: Number(leftMs) },
      replicas: Number(replicas),
      incarnation: String(incarnation),
      cold: cold === 1,
    },
    Number(waitMs),
  );
};

const numbers = (reply: unknown): number[] => {
  assert(Array.isArray(reply), "peek.lua answers with a list");
  return reply.map(Number);
};
