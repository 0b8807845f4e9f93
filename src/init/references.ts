/** Which column points to which other topic's rows, by its name and that topic's key. Pure. */
import type { KeyExpression } from "../map/expression-config.ts";
import type { Column } from "./columns.ts";
import { keyOf } from "./keys.ts";
import { fitsTemplate, plainName, singular, wordsOf } from "./names.ts";
import { KEY_WORDS, NOUNS, PARENT_WORDS, type Proposed, REFERENCES } from "./synonyms.ts";

/** A route as far as others may point to it. */
export interface Parent {
  readonly topic: string;
  readonly entity: Proposed;
  readonly noun: string;
  readonly keyColumns: readonly string[];
  readonly prefix: string;
}

export interface Reference {
  readonly field: string;
  readonly to: Proposed;
  readonly key: KeyExpression;
  readonly columns: readonly string[];
  /** Topic whose rows it points to. */
  readonly topic: string;
}

/** Null: no column points to a sampled topic. `own` are the route's own key columns: one alone is no reference. */
export const referenceOf = (
  child: Pick<Parent, "topic" | "entity" | "keyColumns">,
  columns: readonly Column[],
  parents: readonly Parent[],
): Reference | null => {
  const rule = REFERENCES[child.entity];
  if (rule === undefined) return null;
  const isOwn = (name: string): boolean => child.keyColumns.length === 1 && child.keyColumns[0] === name;
  const names = [...child.keyColumns, ...columns.map(({ name }) => name)].filter(
    (name) => fitsTemplate(name) && !isOwn(name),
  );
  for (const to of rule.to)
    for (const parent of parents.filter(({ entity }) => entity === to)) {
      const isSelf = parent.topic === child.topic;
      const found = isSelf ? aboveIn(names) : pointingTo(names, parent);
      const key = found === null ? null : keyOf(found, parent.prefix);
      if (found === null || key === null || found.length !== parent.keyColumns.length) continue;
      return { field: rule.field, to, key, columns: found, topic: parent.topic };
    }
  return null;
};

/** `parent_id`, `parent_customer_no`: the record above in the same table. */
const aboveIn = (names: readonly string[]): readonly string[] | null => {
  const found = names.find((name) => {
    const words = wordsOf(name);
    return words.length > 1 && PARENT_WORDS.has(words[0] ?? "") && KEY_WORDS.has(words.at(-1) ?? "");
  });
  return found === undefined ? null : [found];
};

/**
 * The key's columns by their own names, where these tell whose they are; else `<noun>_<key word>`, the topic's own noun
 * before others that mean the same.
 */
const pointingTo = (names: readonly string[], { entity, noun, keyColumns }: Parent): readonly string[] | null => {
  const same = keyColumns.map((column) =>
    KEY_WORDS.has(plainName(column)) ? undefined : names.find((name) => plainName(name) === plainName(column)),
  );
  if (same.every((name) => name !== undefined)) return same;
  if (keyColumns.length > 1) return null;
  for (const candidate of [noun, ...NOUNS[entity]]) {
    const found = names.find((name) => {
      const words = wordsOf(name).map(singular);
      return words.length === 2 && words[0] === singular(candidate) && KEY_WORDS.has(words[1] ?? "");
    });
    if (found !== undefined) return [found];
  }
  return null;
};
