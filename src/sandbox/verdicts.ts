/** Spoils the list of results of a bulk reply in the ways that a client must not be fooled by. */
import type { BulkReply, ItemResult } from "./bulk.ts";
import type { Fault } from "./config.ts";

export const spoil = (reply: BulkReply, how: NonNullable<Fault["verdicts"]>, random: () => number): BulkReply => ({
  ...reply,
  body: { ...reply.body, items: spoiled(reply.body.items, how, random) },
});

const spoiled = (
  items: readonly ItemResult[],
  how: NonNullable<Fault["verdicts"]>,
  random: () => number,
): readonly ItemResult[] => {
  const [first] = items;
  if (first === undefined) return items;
  switch (how) {
    case "shuffled":
      return shuffled(items, random);
    case "missing":
      return items.slice(0, -1);
    case "extra":
      return [...items, { ...first, meta: { ...first.meta, ref: "nobody-asked", index: items.length } }];
    case "doubled":
      return [...items, first];
    case "older-version":
      return items.map((item) => ({ ...item, meta: { ...item.meta, version: 0 } }));
  }
};

/** Never in order by luck: then it is turned round. */
const shuffled = (items: readonly ItemResult[], random: () => number): readonly ItemResult[] => {
  const keyed = items.map((item) => [random(), item] as const).sort(([a], [b]) => a - b);
  const result = keyed.map(([, item]) => item);
  return result.every((item, i) => item === items[i]) ? result.reverse() : result;
};
