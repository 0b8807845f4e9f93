/**
 * The board that all replicas of a group read about once a second: a hash in Redis on which people, and brakes, leave notes.
 * Redis may lose it; replicas that have read it then write it anew (see controls.ts).
 */
import assert from "node:assert";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { RedisConnection } from "../lib/redis.ts";
import { type Note, readNote } from "./notes.ts";

/** Every method is one command, and rejects when Redis is away. */
export interface Board {
  /** All notes by their fields, and the time of Redis's clock, milliseconds since 1970. */
  look(): Promise<Look>;
  /** Over whatever stands there; resolves with the revision. */
  put(field: string, content: object): Promise<number>;
  /** Only over the note of that revision; null takes the note away. False, or the revision that is written now. */
  swap(field: string, revision: number, content: object | null): Promise<number | false>;
  /** A note that was lost, where nothing newer stands. */
  restore(field: string, note: Note<unknown>): Promise<void>;
}

export interface Look {
  readonly nowMs: number;
  readonly notes: ReadonlyMap<string, Note<unknown>>;
}

/** Known without asking Sell: what tells one account from another in the configuration, and the group. */
export interface BoardScope {
  readonly baseUrl: string;
  readonly account: string | number | undefined;
  readonly groupId: string;
}

/** The braces keep the board and all that is counted beside it in one slot of a Redis Cluster. */
export const boardKeyPrefix = ({ baseUrl, account, groupId }: BoardScope): string => {
  const scope = [baseUrl, account ?? "", groupId].join("|");
  return `sell:c:{${createHash("sha256").update(scope).digest("hex").slice(0, 16)}}`;
};

export const boardKey = (prefix: string): string => `${prefix}:board`;

export const redisBoard = ({ client }: Pick<RedisConnection, "client">, prefix: string): Board => {
  const key = boardKey(prefix);
  client.defineCommand("sellSinkLook", { numberOfKeys: 1, lua: lua("look") });
  client.defineCommand("sellSinkWrite", { numberOfKeys: 1, lua: lua("write") });
  const scripts = client as typeof client & Scripts;
  return {
    async look() {
      const [nowMs, flat] = await scripts.sellSinkLook(key);
      const notes = new Map<string, Note<unknown>>();
      for (let i = 0; i + 1 < flat.length; i += 2) {
        const note = readNote(flat[i + 1] ?? "");
        if (note !== null) notes.set(flat[i] ?? "", note);
      }
      return { nowMs, notes };
    },
    put: (field, content) => scripts.sellSinkWrite(key, field, JSON.stringify(content), "put", "0"),
    async swap(field, revision, content) {
      const json = content === null ? "" : JSON.stringify(content);
      const written = await scripts.sellSinkWrite(key, field, json, "swap", String(revision));
      return written > 0 && written;
    },
    async restore(field, { revision, content }) {
      assert.ok(revision > 0, "a note has a revision");
      await scripts.sellSinkWrite(key, field, JSON.stringify(content), "restore", String(revision));
    },
  };
};

interface Scripts {
  sellSinkLook(key: string): Promise<readonly [nowMs: number, flat: readonly string[]]>;
  sellSinkWrite(key: string, field: string, json: string, how: string, revision: string): Promise<number>;
}

const lua = (name: string): string => readFileSync(new URL(`./${name}.lua`, import.meta.url), "utf8");
