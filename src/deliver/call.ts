/** A batch made ready for the wire, and how to read what comes back. Both dialects end in this one shape. */
import type { Halt, Outcome } from "../domain/receipt.ts";
import type { Reply, WireRequest } from "./wire.ts";

export interface Call {
  readonly request: WireRequest;
  /** The request names a record by Sell's id: 404 then speaks of the record. */
  readonly byId: boolean;
  /** Reads a 2xx reply; anything it cannot read is an unknown outcome. */
  read(reply: Reply): Reading;
}

/** What a reply says about the writes of a batch: `outcomes` in their order and number. */
export interface Reading {
  readonly outcomes: readonly Outcome[];
  readonly throttle: boolean;
  readonly halt: Halt["kind"] | null;
}

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
