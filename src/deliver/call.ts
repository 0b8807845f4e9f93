/** A batch made ready for the wire, and how to read what comes back. Both dialects end in this one shape. */
import type { Halt, Outcome } from "../domain/receipt.ts";
import type { Reply, WireRequest } from "./wire.ts";

export interface Call {
  readonly request: WireRequest;
  /** The request names a record by Sell's id: 404 then speaks of the record. */
  readonly byId: boolean;
  /** Reads a 2xx reply; anything it cannot read is an unknown outcome. */
  read(reply: Reply): Reading;
  /** The single write was refused, or never answered: what to make of that. Default: the outcome as it is. */
  readonly refused?: (outcome: Outcome) => Outcome;
}

/** What a reply says about the writes of a batch: `outcomes` in their order and number. */
export interface Reading {
  readonly outcomes: readonly Outcome[];
  readonly throttle: boolean;
  readonly halt: Halt["kind"] | null;
  /** The records of accepted writes as the reply shows them, by index. */
  readonly records?: ReadonlyMap<number, Json>;
}

export type Json = Readonly<Record<string, unknown>>;

/** What a reply says of the only write. */
export const one = (outcome: Outcome, record?: Json): Reading => ({
  outcomes: [outcome],
  throttle: false,
  halt: null,
  ...(record === undefined ? {} : { records: new Map([[0, record]]) }),
});

/** A step is done and the next may follow; `alone`: in a request of its own. */
export const stepDone = (reason: string, alone: boolean): Outcome => ({
  status: "progress",
  reason,
  alone,
  created: false,
});

/** The same outcome for every write. */
export const forAll = (writes: number, outcome: Outcome): Outcome[] => Array.from({ length: writes }, () => outcome);

export const unknown = (reason: string): Outcome => ({ status: "unknown", reason });

/** The JSON of a body; undefined when it is none. */
export const parseJson = (body: string): unknown => {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
};
