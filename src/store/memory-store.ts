/** The entity store of a single process without Redis: bounded, least recently used first out, gone with the process. */
import { LRUCache } from "lru-cache";
import type { EntityStore, Remembered } from "../domain/stages.ts";
import type { Clock } from "../lib/clock.ts";
import { isLookup } from "./lookup.ts";
import { withoutOldVersion } from "./version-age.ts";

const MOST_ENTITIES = 100_000;

export const createMemoryStore = (clock: Clock): EntityStore => {
  const remembered = new LRUCache<string, Remembered>({ max: MOST_ENTITIES });
  return {
    recall: async (ids) =>
      ids.map(({ entity, key }) => {
        const memory = remembered.get(`${entity}/${key}`);
        return memory === undefined ? null : withoutOldVersion(memory, clock.now());
      }),
    async remember(entries) {
      for (const [{ entity, key }, memory] of entries) {
        const name = `${entity}/${key}`;
        if (!isLookup(memory) || !remembered.has(name)) remembered.set(name, memory);
      }
    },
    async close() {
      remembered.clear();
    },
  };
};
