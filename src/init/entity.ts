/** What the rows of a topic are, by its name: the last word that is a noun of the ERP decides. Pure. */
import { singular, wordsOf } from "./names.ts";
import { LINE_WORDS, NOUNS, type Proposed } from "./synonyms.ts";

export interface Told {
  readonly entity: Proposed;
  /** The word that told, in the singular. */
  readonly noun: string;
}

export const PROPOSED = Object.keys(NOUNS) as readonly Proposed[];

/** `lines`: one row a line of an order; null: the name says nothing. The last part of a topic's name is the table's. */
export const entityOf = (name: string): Told | "lines" | null => {
  for (const part of name.split(".").toReversed()) {
    const words = wordsOf(part).map((word) => NOUN_OF.get(word) ?? NOUN_OF.get(singular(word)) ?? singular(word));
    const at = words.findLastIndex((word) => typeof word === "object");
    const told = words[at];
    const [before, last] = [words[at - 1], words.at(-1)];
    if (told === undefined || typeof told === "string") continue;
    if (isOrder(told) && typeof last === "string" && LINE_WORDS.has(last)) return "lines";
    if (isOrder(before) && LINE_WORDS.has(told.noun)) return "lines";
    return told;
  }
  return null;
};

const isOrder = (word: Told | string | undefined): boolean => typeof word === "object" && word.entity === "deals";

const NOUN_OF: ReadonlyMap<string, Told> = new Map(
  PROPOSED.flatMap((entity) => NOUNS[entity].map((noun) => [noun, { entity, noun }] as const)),
);
