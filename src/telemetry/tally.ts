/**
 * A counter and a histogram for what happens once a record. The library's own cost about a microsecond a call, since they
 * build a text of the labels each time; these only add up, and the labels are written at the scrape.
 */
import {
  Counter,
  Histogram,
  type MetricObjectWithValues,
  type MetricType,
  type MetricValueWithName,
  type Registry,
} from "prom-client";

const HISTOGRAM = "histogram" as unknown as MetricType.Histogram; // declared as a number, in fact this text

/** A counter with one label. */
export class TallyCounter {
  readonly #counts = new Map<string, number>();

  /** The values in `first` exist at 0 from the start. */
  constructor(name: string, help: string, label: string, registry: Registry, first: readonly string[] = []) {
    const counts = this.#counts;
    for (const value of first) counts.set(value, 0);
    const collect = function (this: Counter): void {
      for (const [value, count] of counts) {
        this.inc({ [label]: value }, count);
        counts.set(value, 0);
      }
    };
    new Counter({ name, help, labelNames: [label], registers: [registry], collect });
  }

  /** `value` of the label comes from a bounded set. */
  add(value: string, count = 1): void {
    this.#counts.set(value, (this.#counts.get(value) ?? 0) + count);
  }
}

interface Tally {
  /** Observations up to each bound and above the one before; the last is for what lies beyond all bounds. */
  readonly buckets: Float64Array;
  sum: number;
}

export interface HistogramDeclaration<L extends string> {
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly [first: L, second: L];
  readonly registry: Registry;
}

/** A histogram with two labels. */
export class TallyHistogram<L extends string> extends Histogram<L> {
  readonly #declaration: HistogramDeclaration<L>;
  readonly #bounds: readonly number[];
  readonly #tallies = new Map<string, Map<string, Tally>>();

  constructor(declaration: HistogramDeclaration<L>, bounds: readonly number[]) {
    const { name, help, labelNames, registry } = declaration;
    super({ name, help, labelNames, buckets: [...bounds], registers: [registry] });
    this.#declaration = declaration;
    this.#bounds = bounds;
  }

  /** `first` and `second` are the labels' values, each of a bounded set. */
  add(first: string, second: string, value: number): void {
    let row = this.#tallies.get(first);
    if (row === undefined) this.#tallies.set(first, (row = new Map()));
    let tally = row.get(second);
    if (tally === undefined) row.set(second, (tally = { buckets: new Float64Array(this.#bounds.length + 1), sum: 0 }));
    let index = 0;
    while (index < this.#bounds.length && value > (this.#bounds[index] ?? 0)) index++;
    tally.buckets[index] = (tally.buckets[index] ?? 0) + 1;
    tally.sum += value;
  }

  // The registry asks by this name, which the library's types do not tell.
  getForPromString(): Promise<MetricObjectWithValues<MetricValueWithName<L>>> {
    return this.get();
  }

  override async get(): Promise<MetricObjectWithValues<MetricValueWithName<L>>> {
    const { name, help } = this.#declaration;
    const values = [...this.#tallies].flatMap(([first, row]) =>
      [...row].flatMap(([second, tally]) => this.#valuesOf([first, second], tally)),
    );
    return { name, help, type: HISTOGRAM, aggregator: "sum", values, collect: () => {} };
  }

  #valuesOf(labelValues: readonly string[], { buckets, sum }: Tally): MetricValueWithName<L>[] {
    const { name, labelNames } = this.#declaration;
    const labels = Object.fromEntries(labelNames.map((label, index) => [label, labelValues[index] ?? ""]));
    const value = (suffix: string, amount: number, le?: number | string): MetricValueWithName<L> => ({
      metricName: `${name}_${suffix}`,
      labels: (le === undefined ? labels : { le, ...labels }) as MetricValueWithName<L>["labels"],
      value: amount,
    });
    let upTo = 0;
    const lines = [...this.#bounds, "+Inf"].map((le, index) => {
      upTo += buckets[index] ?? 0;
      return value("bucket", upTo, le);
    });
    return [...lines, value("sum", sum), value("count", upTo)];
  }
}
