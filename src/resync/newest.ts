/**
 * The newest record of each key, of as many keys as fit into memory. Keys are told apart by a hash of their name: a table is
 * for a range of hashes, and gives up the upper half of its range whenever it holds too many; those are for another pass
 * over the topic. Ten million keys take about sixty passes, and no more memory than a quarter of a million.
 */

/** Some 100 MB with what is made of them. */
export const KEYS_MAX = 250_000;
/** Hashes are below it. */
export const ALL_KEYS = 2 ** 32;

/** What the connector would do for a record: `partial` leaves columns of the row out that it was not sent. */
export type Fate =
  | { readonly status: "written"; readonly isPartial: boolean; readonly calls: CallShape }
  /** `reason` says why the routes write nothing. */
  | { readonly status: "left-alone"; readonly reason: string };

/** `size` records share `steps` calls at best, with others of the same `kind` (entity and verb). */
export interface CallShape {
  readonly kind: string;
  readonly size: number;
  readonly steps: number;
}

/** Where a record of a key stands. */
export interface Seen {
  readonly partition: number;
  readonly offset: bigint;
  /** Of the record, milliseconds since 1970: it alone tells which of two partitions has the newer one. */
  readonly timestampMs: number;
  readonly isDelete: boolean;
  readonly isTombstone: boolean;
  readonly fate: Fate;
}

export class NewestTable {
  readonly from: number;
  readonly #keysMax: number;
  readonly #newest = new Map<string, Seen>();
  /** There are few of them, and a key each would double the memory. */
  readonly #fates = new Map<string, Fate>();
  #to: number;

  /** For keys whose hash is in [`from`, `to`); the range may end earlier. */
  constructor(from: number, to: number, keysMax: number = KEYS_MAX) {
    this.from = from;
    this.#to = to;
    this.#keysMax = keysMax;
  }

  get to(): number {
    return this.#to;
  }

  get newest(): ReadonlyMap<string, Seen> {
    return this.#newest;
  }

  /** Partition after partition, each in the order of its offsets. */
  note(id: string, seen: Seen): void {
    const hash = hashOf(id);
    if (hash < this.from || hash >= this.#to) return;
    const known = this.#newest.get(id);
    if (known !== undefined && !replaces(seen, known)) return;
    this.#newest.set(id, { ...seen, fate: this.#shared(seen.fate) });
    while (this.#newest.size > this.#keysMax && this.#to - this.from > 1) this.#halve();
  }

  #shared(fate: Fate): Fate {
    const name = nameOf(fate);
    const known = this.#fates.get(name);
    if (known === undefined) this.#fates.set(name, fate);
    return known ?? fate;
  }

  #halve(): void {
    this.#to = this.from + Math.ceil((this.#to - this.from) / 2);
    for (const id of this.#newest.keys()) if (hashOf(id) >= this.#to) this.#newest.delete(id);
  }
}

const nameOf = (fate: Fate): string => {
  if (fate.status === "left-alone") return fate.reason;
  const { kind, size, steps } = fate.calls;
  return `${kind} ${size} ${steps} ${fate.isPartial}`;
};

const replaces = (seen: Seen, known: Seen): boolean => {
  if (seen.partition !== known.partition) return seen.timestampMs > known.timestampMs;
  // It only repeats the delete before it, which says more.
  return !(seen.isTombstone && known.isDelete && !known.isTombstone);
};

/** FNV-1a over UTF-16 units, then Murmur's mixing: the same in every run, since a pass that was broken off goes on with it. */
const hashOf = (text: string): number => {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
};
