/** The board in memory, with the rules of src/control/write.lua, for tests that turn the clock themselves. */
import type { Board } from "../../src/control/board.ts";
import type { Note } from "../../src/control/notes.ts";
import type { Clock } from "../../src/lib/clock.ts";

export class MemoryBoard implements Board {
  readonly notes = new Map<string, Note<unknown>>();
  isAway = false;
  looks = 0;
  writes = 0;
  readonly #clock: Pick<Clock, "now">;

  constructor(clock: Pick<Clock, "now">) {
    this.#clock = clock;
  }

  async look() {
    this.#answer();
    this.looks += 1;
    return { nowMs: this.#clock.now(), notes: new Map(this.notes) };
  }

  async put(field: string, content: object): Promise<number> {
    this.#answer();
    return this.#write(field, Math.max(this.#clock.now(), (this.notes.get(field)?.revision ?? 0) + 1), content);
  }

  async swap(field: string, revision: number, content: object | null): Promise<number | false> {
    this.#answer();
    if ((this.notes.get(field)?.revision ?? 0) !== revision) return false;
    if (content !== null) return this.put(field, content);
    this.notes.delete(field);
    return revision;
  }

  async restore(field: string, { revision, content }: Note<unknown>): Promise<void> {
    this.#answer();
    if ((this.notes.get(field)?.revision ?? 0) < revision) this.#write(field, revision, content as object);
  }

  #write(field: string, revision: number, content: object): number {
    this.writes += 1;
    this.notes.set(field, { revision, content });
    return revision;
  }

  #answer(): void {
    if (this.isAway) throw new Error("Redis is away");
  }
}
