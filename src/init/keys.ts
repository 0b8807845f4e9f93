/** The ERP key of each route: the record key's columns, with a beginning of its own where several routes write one entity. Pure. */
import type { KeyExpression } from "../map/expression-config.ts";
import { fitsTemplate, isWritable, plainName, singular, wordsOf } from "./names.ts";
import type { SampledTopic } from "./sampled-topic.ts";
import { KEY_WORDS } from "./synonyms.ts";

/** The columns that tell the row: those of the record key, else the one that looks like it. Empty: none can be used. */
export const keyColumnsOf = ({ key, columns }: SampledTopic, noun: string): readonly string[] => {
  if (key.length > 0) return (key.length === 1 ? key.every(isWritable) : key.every(fitsTemplate)) ? key : [];
  const names = columns.map(({ name }) => name).filter(isWritable);
  const own = names.find((name) => KEY_WORDS.has(plainName(name)));
  const nouned = names.find((name) => {
    const words = wordsOf(name);
    const [first = "", last = ""] = words;
    return words.length === 2 && singular(first) === noun && KEY_WORDS.has(last);
  });
  return [own ?? nouned ?? []].flat();
};

/** `prefix` empty: the only route of its entity. Null: the columns cannot stand in a template. */
export const keyOf = (columns: readonly string[], prefix: string): KeyExpression | null => {
  const [only = ""] = columns;
  if (columns.length === 1 && prefix === "") return only;
  if (!columns.every(fitsTemplate)) return null;
  return { template: prefix + columns.map((column) => `\${${column}}`).join("-") };
};

/**
 * A beginning for each of several topics of one entity, of which none begins another one: letters and digits, closed by a
 * hyphen that they do not have.
 */
export const prefixesOf = (topics: readonly string[]): readonly string[] => {
  const taken = new Set<string>();
  return topics.map((topic) => {
    const word = wordsOf(topic.split(".").at(-1) ?? "").join("") || "t";
    let prefix = `${word}-`;
    for (let number = 2; taken.has(prefix); number++) prefix = `${word}${number}-`;
    taken.add(prefix);
    return prefix;
  });
};
