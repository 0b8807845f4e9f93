/**
 * The entity store that all replicas share. Redis may lose anything at any time: an id lost costs a call, and a fingerprint
 * counts only within its *epoch*. A new epoch begins, and voids every older fingerprint, when a write failed (what Sell holds
 * is then newer than what is remembered) and when Redis is another incarnation than the one the epoch began in (a restart or
 * a fail-over may have brought older values back).
 */
import { createHash, randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { errorText } from "../domain/errors.ts";
import type { EntityId, EntityStore, Remembered } from "../domain/stages.ts";
import { backoffMs } from "../lib/backoff.ts";
import type { Clock } from "../lib/clock.ts";
import type { RedisConnection } from "../lib/redis.ts";
import type { RedisClient } from "../lib/redis-client.ts";
import { refusalOf } from "../lib/redis-refusal.ts";
import type { Emit } from "../telemetry/events.ts";
import { isLookup } from "./lookup.ts";
import { withoutOldVersion } from "./version-age.ts";

export interface RedisStoreDeps {
  readonly redis: RedisConnection;
  /** Account and consumer group: what belongs to others stays unseen. */
  readonly scope: string;
  readonly clock: Clock;
  readonly random: () => number;
  readonly emit: Emit;
}

/** An entity untouched for this long is looked up again. */
const TTL_MS = 30 * 86_400_000;

export interface RedisStore extends EntityStore {
  /** Begins to remember, unless that was begun: what fails before anything is accepted must not be older than the memory. */
  open(signal: AbortSignal): Promise<void>;
  /**
   * Whatever was accepted since is remembered, milliseconds since 1970; Infinity: nobody knows. Waits for Redis. It is when the
   * epoch began, and no longer ago than an entity is kept.
   */
  completeSinceMs(signal: AbortSignal): Promise<number>;
}

export const createRedisStore = ({ redis, scope, clock, random, emit }: RedisStoreDeps): RedisStore => {
  const prefix = `sell:{${createHash("sha256").update(scope).digest("hex").slice(0, 16)}}`;
  const epochKey = `${prefix}:epoch`;
  const keyOf = ({ entity, key }: EntityId): string => `${prefix}:e:${entity}:${key}`;
  const client = withScripts(redis.client);
  /** The epoch that this process writes in; null: not known, so the next write joins the one in force, if there is one. */
  let epoch: string | null = null;
  /** A write failed: the next one begins a new epoch, whatever is in force. */
  let mustBegin = false;

  const read = (text: string | null | undefined, current: string | null): Remembered | null => {
    if (text == null) return null;
    const [written = "", value = ""] = splitOnce(text);
    const remembered = JSON.parse(value) as Remembered;
    const isTrusted = written === current;
    // What is remembered as deleted may have been created again since: a deletion of it must ask Sell.
    const doubted = isTrusted ? remembered : { ...remembered, fingerprint: null, deleted: false };
    return withoutOldVersion(doubted, clock.now());
  };

  const write = async (entries: readonly (readonly [EntityId, Remembered])[]): Promise<void> => {
    const how = mustBegin ? "begin" : epoch === null ? "join" : "keep";
    const name = (mustBegin ? null : epoch) ?? `${clock.now().toString(36)}-${randomUUID()}`;
    if (how === "begin") {
      // Now, since Redis takes writes in order: of two at once the first begins an epoch and the second joins it.
      epoch = null;
      mustBegin = false;
    }
    const keys = [epochKey, ...entries.map(([id]) => keyOf(id))];
    const gaps = entries.map(([, remembered]) => (isLookup(remembered) ? "1" : "0")).join("");
    const values = entries.map(([, remembered]) => JSON.stringify(remembered));
    const written = await client.sellSinkRemember(keys.length, ...keys, String(TTL_MS), how, name, gaps, ...values);
    if (how === "begin") epoch = written;
    if (how === "join") epoch ??= written;
  };

  /** Until Redis answers; a slow answer counts as none. */
  const insist = async <T>(act: () => Promise<T>, signal: AbortSignal): Promise<T> => {
    for (let attempt = 1; ; attempt++) {
      signal.throwIfAborted();
      try {
        return await act();
      } catch (error) {
        const refusal = refusalOf(error) ?? refusalOf(redis.lastError());
        if (refusal !== null)
          emit("redis-refused", { address: redis.address, ...refusal, sends: "nothing", again: attempt > 1 });
        else if (attempt === 1) emit("store-failed", { cause: errorText(error) });
        await clock.sleep(backoffMs(attempt, random, { baseMs: 200, capMs: 5_000, floorMs: 100 }), signal);
      }
    }
  };

  return {
    recall: (ids, signal) =>
      insist(async () => {
        const before = epoch;
        const keys = [epochKey, ...ids.map(keyOf)];
        const [run, current, ...texts] = await client.sellSinkRecall(keys.length, ...keys);
        const trusted = current?.startsWith(`${run}:`) ? current : null;
        if (trusted !== null || epoch === before) epoch = trusted; // unless one began while the question was on its way
        return ids.map((_, i) => read(texts[i], trusted));
      }, signal),

    async remember(entries, signal) {
      if (entries.length === 0) return;
      const voidOnFailure = (error: unknown): never => {
        mustBegin = true; // what Sell holds is newer now than what is remembered
        throw error;
      };
      await insist(() => write(entries).catch(voidOnFailure), signal);
    },

    open: (signal) => insist(() => write([]), signal),

    completeSinceMs: (signal) =>
      insist(async () => {
        const [run, current] = await client.sellSinkRecall(1, epochKey);
        const [, began = ""] = current?.startsWith(`${run}:`) ? (/:([0-9a-z]+)-/.exec(current) ?? []) : [];
        return began === "" ? Number.POSITIVE_INFINITY : Math.max(Number.parseInt(began, 36), clock.now() - TTL_MS);
      }, signal),

    async close() {},
  };
};

/** The epoch, which has no bar in it, and the rest. */
const splitOnce = (text: string): readonly string[] => {
  const bar = text.indexOf("|");
  return [text.slice(0, bar), text.slice(bar + 1)];
};

/** One command a batch: fifty of them cost the client ten times as much. */
interface Scripts {
  sellSinkRecall(numberOfKeys: number, ...keys: string[]): Promise<readonly (string | null)[]>;
  sellSinkRemember(numberOfKeys: number, ...keysAndArguments: string[]): Promise<string>;
}

const withScripts = (client: RedisClient): RedisClient & Scripts => {
  client.defineCommand("sellSinkRecall", { lua: lua("recall") });
  client.defineCommand("sellSinkRemember", { lua: lua("remember") });
  return client as RedisClient & Scripts;
};

const lua = (name: string): string => readFileSync(new URL(`./${name}.lua`, import.meta.url), "utf8");
