/**
 * The last hours in bounded memory: a sample every ten seconds for an hour, one a minute for six hours. Of the samples of a
 * minute counts are added up, and of levels the highest stays, so that no peak is lost.
 *
 * At most 720 samples of 96 columns of 4 bytes: 270 KiB, whatever the load, the partitions and the hours.
 */

export interface Sample {
  /** Milliseconds, later than the sample before. */
  readonly atMs: number;
  /** Milliseconds since the sample before. */
  readonly forMs: number;
  /** What happened since the sample before, by name; absent: nothing. */
  readonly counts: ReadonlyMap<string, number>;
  /** What stood at some height then, by name; absent: not known. */
  readonly levels: ReadonlyMap<string, number>;
}

/** Columns of equal length, oldest sample first. */
export interface Series {
  readonly atMs: readonly number[];
  /** Columns in which nothing happened are left out. */
  readonly counts: Readonly<Record<string, readonly number[]>>;
  /** Null: not known then. Columns of which nothing is known are left out. */
  readonly levels: Readonly<Record<string, readonly (number | null)[]>>;
}

export const SPANS = {
  "1h": { everyMs: 10_000, samples: 360 },
  "6h": { everyMs: 60_000, samples: 360 },
} as const;
export type Span = keyof typeof SPANS;

const COLUMNS_MAX = 96;

export class History {
  readonly #rings = { "1h": new Ring(SPANS["1h"].samples), "6h": new Ring(SPANS["6h"].samples) };
  /** The minute that is not over yet. */
  #minute: Sample | null = null;

  add(sample: Sample): void {
    this.#rings["1h"].push(sample);
    this.#minute = this.#minute === null ? sample : merged(this.#minute, sample);
    if (this.#minute.forMs < SPANS["6h"].everyMs) return;
    this.#rings["6h"].push(this.#minute);
    this.#minute = null;
  }

  series(span: Span): Series {
    return this.#rings[span].series();
  }
}

const merged = (before: Sample, { atMs, forMs, counts, levels }: Sample): Sample => ({
  atMs,
  forMs: before.forMs + forMs,
  counts: combined(before.counts, counts, (a, b) => a + b),
  levels: combined(before.levels, levels, Math.max),
});

const combined = (
  a: ReadonlyMap<string, number>,
  b: ReadonlyMap<string, number>,
  combine: (a: number, b: number) => number,
): ReadonlyMap<string, number> => {
  const all = new Map(a);
  for (const [name, value] of b) {
    const before = all.get(name);
    all.set(name, before === undefined ? value : combine(before, value));
  }
  return all;
};

type Kind = "counts" | "levels";
/** What a column holds where nothing was said. */
const NOTHING: Readonly<Record<Kind, number>> = { counts: 0, levels: Number.NaN };

/** Columns of fixed length that are written in a circle. */
class Ring {
  readonly #size: number;
  readonly #atMs: Float64Array;
  readonly #columns = { counts: new Map<string, Float32Array>(), levels: new Map<string, Float32Array>() };
  #written = 0;

  constructor(size: number) {
    this.#size = size;
    this.#atMs = new Float64Array(size);
  }

  push({ atMs, counts, levels }: Sample): void {
    const index = this.#written % this.#size;
    this.#atMs[index] = atMs;
    this.#write("counts", index, counts);
    this.#write("levels", index, levels);
    this.#written += 1;
  }

  series(): Series {
    const length = Math.min(this.#written, this.#size);
    const from = this.#written - length;
    const inOrder = (column: Float32Array | Float64Array): number[] =>
      Array.from({ length }, (_, i) => rounded(column[(from + i) % this.#size] ?? Number.NaN));
    const known = [...this.#columns.levels].map(([name, column]) => [name, inOrder(column)] as const);
    const counted = [...this.#columns.counts].map(([name, column]) => [name, inOrder(column)] as const);
    return {
      atMs: inOrder(this.#atMs),
      counts: Object.fromEntries(counted.filter(([, column]) => column.some((value) => value !== 0))),
      levels: Object.fromEntries(
        known
          .filter(([, column]) => column.some((value) => !Number.isNaN(value)))
          .map(([name, column]) => [name, column.map((value) => (Number.isNaN(value) ? null : value))]),
      ),
    };
  }

  #write(kind: Kind, index: number, values: ReadonlyMap<string, number>): void {
    const columns = this.#columns[kind];
    for (const column of columns.values()) column[index] = NOTHING[kind];
    for (const [name, value] of values) {
      // Most of the reasons a record may fail for never come.
      if (value === NOTHING[kind]) continue;
      const column = columns.get(name) ?? this.#added(kind, name);
      if (column !== undefined) column[index] = value;
    }
  }

  /** Undefined when there are as many as there may be: the name is then not shown over time. */
  #added(kind: Kind, name: string): Float32Array | undefined {
    const { counts, levels } = this.#columns;
    if (counts.size + levels.size >= COLUMNS_MAX) return undefined;
    const column = new Float32Array(this.#size).fill(NOTHING[kind]);
    this.#columns[kind].set(name, column);
    return column;
  }
}

/** Three digits behind the point are more than a plot can show. */
const rounded = (value: number): number => Math.round(value * 1_000) / 1_000;
