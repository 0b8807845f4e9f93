/**
 * The entity store that all replicas share. Redis may lose anything at any time: an id lost costs a call, and a fingerprint
 * counts only within its *epoch*. A new epoch begins, and voids every older fingerprint, when a write failed (what Sell holds
 * is then newer than what is remembered) and when Redis is another incarnation than the one the epoch began in (a restart or
 * a fail-over may have brought older values back).
 */
import { createHash, randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import type { Redis } from "ioredis";
import { errorText } from "../domain/errors.ts";
import type { EntityId, EntityStore, Remembered } from "../domain/stages.ts";
import { backoffMs } from "../lib/backoff.ts";
import type { Clock } from "../lib/clock.ts";
import type { RedisConnection } from "../lib/redis.ts";
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

export const createRedisStore = ({ redis, scope, clock, random, emit }: RedisStoreDeps): EntityStore => {
  const prefix = `sell:{${createHash("sha256").update(scope).digest("hex").slice(0, 16)}}`;
  const epochKey = `${prefix}:epoch`;
  const keyOf = ({ entity, key }: EntityId): string => `${prefix}:e:${entity}:${key}`;
  const client = withScript(redis.client);
  let runId: string | null = null;
  /** The epoch that this process writes in; null: not known, so the next write joins the one in force, if there is one. */
  let epoch: string | null = null;
  /** A write failed: the next one begins a new epoch, whatever is in force. */
  let mustBegin = false;
  const stopListening = redis.onIncarnation((id) => {
    if (id !== runId) epoch = null;
    runId = id;
  });

  const belongsToThisIncarnation = (found: string | null | undefined): found is string =>
    runId !== null && found != null && found.startsWith(`${runId}:`);

  const read = (text: string | null | undefined, current: string | null): Remembered | null => {
    if (text == null) return null;
    const [written = "", value = ""] = splitOnce(text);
    const remembered = JSON.parse(value) as Remembered;
    const isTrusted = written === current;
    return withoutOldVersion(isTrusted ? remembered : { ...remembered, fingerprint: null }, clock.now());
  };

  const write = async (entries: readonly (readonly [EntityId, Remembered])[]): Promise<void> => {
    const how = mustBegin ? "begin" : epoch === null ? "join" : "keep";
    const wanted = (mustBegin ? null : epoch) ?? `${runId}:${randomUUID()}`;
    if (how === "begin") {
      // Now, since Redis takes writes in order: of two at once only the first begins an epoch.
      epoch = wanted;
      mustBegin = false;
    }
    const keys = [epochKey, ...entries.map(([id]) => keyOf(id))];
    const gaps = entries.map(([, remembered]) => (isLookup(remembered) ? "1" : "0")).join("");
    const values = entries.map(([, remembered]) => JSON.stringify(remembered));
    const written = await client.sellSinkRemember(keys.length, ...keys, String(TTL_MS), wanted, how, gaps, ...values);
    if (how === "join") epoch ??= written;
  };

  /** Until Redis answers; a slow answer counts as none. */
  const insist = async <T>(act: () => Promise<T>, signal: AbortSignal): Promise<T> => {
    for (let attempt = 1; ; attempt++) {
      signal.throwIfAborted();
      try {
        return await act();
      } catch (error) {
        if (attempt === 1) emit("store-failed", { cause: errorText(error) });
        await clock.sleep(backoffMs(attempt, random, { baseMs: 200, capMs: 5_000, floorMs: 100 }), signal);
      }
    }
  };

  return {
    recall: (ids, signal) =>
      insist(async () => {
        const before = epoch;
        const [current = null, ...texts] = await client.mget(epochKey, ...ids.map(keyOf));
        const trusted = belongsToThisIncarnation(current) ? current : null;
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

    async close() {
      stopListening();
    },
  };
};

/** The epoch, which has no bar in it, and the rest. */
const splitOnce = (text: string): readonly string[] => {
  const bar = text.indexOf("|");
  return [text.slice(0, bar), text.slice(bar + 1)];
};

type Remember = (numberOfKeys: number, ...keysAndArguments: string[]) => Promise<string>;

/** One command a batch: fifty of them cost the client ten times as much. */
const withScript = (client: Redis): Redis & { readonly sellSinkRemember: Remember } => {
  client.defineCommand("sellSinkRemember", { lua: readFileSync(new URL("./remember.lua", import.meta.url), "utf8") });
  return client as Redis & { readonly sellSinkRemember: Remember };
};
