/**
 * Compares the ERP's keys with the records of the CRM, which pass by once. A key is
 *
 *   adopted      a record carries it already
 *   matched      exactly one record has its text, that record has no key, and no other key has the text
 *   new          no record has its text, or it has none: the first run would create it
 *   conflicting  the records that have its text carry other keys
 *   ambiguous    several records or several keys share its text, or several records carry the key
 *
 * Only `matched` is certain enough to be written.
 */
import type { FoundRecord } from "../domain/search.ts";

export type Verdict =
  | { readonly is: "adopted" | "matched"; readonly key: string; readonly id: number }
  | { readonly is: "new" | "conflicting" | "ambiguous"; readonly key: string; readonly ids: readonly number[] };

/** Of records with one text or key so many are told apart; it does not matter how many more there are. */
const IDS_MAX = 5;

export class Comparison {
  readonly #texts: ReadonlyMap<string, string | null>;
  readonly #textOf: (record: FoundRecord) => string | null;
  /** Records that have the text of a key; of those with a key of their own the id is negative. */
  readonly #recordsWith = new Map<string, Packed>();
  /** Texts of more than one key. */
  readonly #shared = new Set<string>();
  readonly #holdersOf = new Map<string, Packed>();

  constructor(texts: ReadonlyMap<string, string | null>, textOf: (record: FoundRecord) => string | null) {
    this.#texts = texts;
    this.#textOf = textOf;
    for (const text of texts.values()) {
      if (text === null) continue;
      if (this.#recordsWith.has(text)) this.#shared.add(text);
      else this.#recordsWith.set(text, NONE);
    }
  }

  /** A record may pass twice, since pages shift. */
  see(record: FoundRecord): void {
    const { id, key } = record;
    if (key !== null && this.#texts.has(key)) {
      const holders = unpacked(this.#holdersOf.get(key) ?? NONE);
      if (!holders.includes(id) && holders.length < IDS_MAX) this.#holdersOf.set(key, packed([...holders, id]));
    }
    const text = this.#textOf(record);
    const known = text === null ? undefined : this.#recordsWith.get(text);
    if (text === null || known === undefined) return;
    const seen = unpacked(known);
    if (seen.some((other) => Math.abs(other) === id)) return;
    // One without a key is never left out: it makes the difference between conflicting and ambiguous.
    if (seen.length < IDS_MAX || (key === null && seen.every(isHeld)))
      this.#recordsWith.set(text, packed([...seen, key === null ? id : -id]));
  }

  *verdicts(): Generator<Verdict> {
    for (const [key, text] of this.#texts) yield this.#verdict(key, text);
  }

  #verdict(key: string, text: string | null): Verdict {
    const holders = unpacked(this.#holdersOf.get(key) ?? NONE);
    const [holder] = holders;
    if (holders.length > 1) return { is: "ambiguous", key, ids: holders };
    if (holder !== undefined) return { is: "adopted", key, id: holder };
    const records = text === null ? [] : unpacked(this.#recordsWith.get(text) ?? NONE);
    const ids = records.map(Math.abs);
    const [first] = ids;
    if (text === null || first === undefined) return { is: "new", key, ids };
    if (records.every(isHeld)) return { is: "conflicting", key, ids };
    if (records.length === 1 && !this.#shared.has(text)) return { is: "matched", key, id: first };
    return { is: "ambiguous", key, ids };
  }
}

/** Nearly always there is one at most, and there are a million of these: a number takes a quarter of what a list does. */
type Packed = number | readonly number[];
const NONE: Packed = 0;

const packed = (ids: readonly number[]): Packed => (ids.length > 1 ? ids : (ids[0] ?? NONE));

const unpacked = (ids: Packed): readonly number[] => (typeof ids !== "number" ? ids : ids === NONE ? [] : [ids]);

const isHeld = (id: number): boolean => id < 0;
