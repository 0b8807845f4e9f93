/** The script of faults: which request meets which one. A fault is matched after credentials and quota have been checked. */
import type { Fault } from "./config.ts";

/** What a fault can look at. */
export interface FaultSubject {
  readonly method: string;
  readonly path: string;
  /** The keys the request writes or asks for; worked out only when a fault wants to know. */
  keys(): readonly string[];
}

interface Entry {
  readonly fault: Fault;
  /** Requests that matched all but `nth` and `everyNth`. */
  seen: number;
  left: number;
}

/** A script longer than this is a mistake. */
export const MAX_FAULTS = 1_000;

export class FaultScript {
  #entries: Entry[] = [];

  /** Appended: earlier lines go first. Throws a RangeError, and adds none, when the script would become too long. */
  add(faults: readonly Fault[]): void {
    const kept = this.#entries.filter(({ left }) => left > 0);
    if (kept.length + faults.length > MAX_FAULTS) {
      throw new RangeError(`A fault script holds at most ${MAX_FAULTS} lines.`);
    }
    const added = faults.map((fault) => ({ fault, seen: 0, left: fault.times ?? Number.POSITIVE_INFINITY }));
    this.#entries = [...kept, ...added];
  }

  clear(): void {
    this.#entries = [];
  }

  /** Lines that have not happened as often as they should. */
  pending(): readonly Fault[] {
    return this.#entries.filter(({ left }) => left > 0).map(({ fault }) => fault);
  }

  /** The first line that applies; every line counts the request, whichever wins. */
  next(subject: FaultSubject): Fault | null {
    let chosen: Entry | null = null;
    for (const entry of this.#entries) {
      if (!meets(entry.fault, subject)) continue;
      entry.seen += 1;
      const { nth, everyNth } = entry.fault.match;
      const isDue =
        (nth === undefined || entry.seen === nth) && (everyNth === undefined || entry.seen % everyNth === 0);
      if (chosen === null && entry.left > 0 && isDue) chosen = entry;
    }
    if (chosen === null) return null;
    chosen.left -= 1;
    return chosen.fault;
  }
}

const meets = ({ match }: Fault, subject: FaultSubject): boolean =>
  (match.method === undefined || match.method === subject.method) &&
  (match.path === undefined || subject.path.startsWith(match.path)) &&
  (match.key === undefined || subject.keys().includes(match.key));
