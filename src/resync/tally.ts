/** What a resync comes to, counted key by key. */
import type { NewestTable } from "./newest.ts";

export class Tally {
  keys = 0;
  /** To be written again, `partial` of them without columns that their newest record leaves out. */
  written = 0;
  partial = 0;
  readonly leftAlone: Record<string, number> = {};
  readonly #groups = new Map<string, { readonly size: number; steps: number; count: number }>();

  add({ newest }: NewestTable): void {
    for (const { fate } of newest.values()) {
      this.keys += 1;
      if (fate.status === "left-alone") {
        this.leftAlone[fate.reason] = (this.leftAlone[fate.reason] ?? 0) + 1;
        continue;
      }
      this.written += 1;
      if (fate.isPartial) this.partial += 1;
      const { kind, size, steps } = fate.calls;
      const group = this.#groups.get(`${size} ${kind}`) ?? { size, steps: 0, count: 0 };
      this.#groups.set(`${size} ${kind}`, { ...group, steps: group.steps + steps, count: group.count + 1 });
    }
  }

  /** At most, without retries and without the second step of records that have to be created again. */
  get calls(): number {
    let calls = 0;
    for (const [name, { size, steps, count }] of this.#groups) {
      calls += Math.ceil(steps / size);
      if (name.endsWith(" delete")) calls += count; // each asks first whether somebody brought the record back
    }
    return calls;
  }
}
