/** A receipt, sorted by what becomes of each entry of its batch. */
import type { Errant } from "../domain/change.ts";
import type { Outcome, Receipt } from "../domain/receipt.ts";
import type { Cut } from "../window/cut.ts";
import type { Entry } from "../window/entry.ts";

/** Tries of an answer that says neither yes nor no (409) before the record becomes a dead letter. */
const LIMITED_TRIES = 5;

type Onward = { readonly entry: Entry; readonly outcome: Outcome & { status: "progress" } };
export type Accepted = { readonly entry: Entry; readonly outcome: Outcome & { status: "accepted" } };

export const sortVerdicts = (cut: Cut, receipt: Receipt) => {
  const accepted: Accepted[] = [];
  const onward: Onward[] = [];
  const rejected: { entry: Entry; errant: Errant }[] = [];
  const again: Entry[] = [];
  const apart: Entry[] = [];
  const unknown: Entry[] = [];
  const refused: Entry[] = [];
  for (const [i, entry] of cut.entries.entries()) {
    const outcome: Outcome = receipt.outcomes[i] ?? { status: "unknown", reason: "no-verdict" };
    switch (outcome.status) {
      case "accepted":
        if (isMissed(entry, outcome, cut)) rejected.push({ entry, errant: GONE });
        else accepted.push({ entry, outcome });
        break;
      case "progress":
        onward.push({ entry, outcome });
        break;
      case "rejected": {
        const { status: _, ...errant } = outcome;
        rejected.push({ entry, errant: { stage: "deliver", ...errant } });
        break;
      }
      case "retriable":
        if (outcome.alone === true) apart.push(entry);
        else if (outcome.limited !== true || entry.attempts + 1 < LIMITED_TRIES) again.push(entry);
        else {
          const message = `Sell answered "${outcome.reason}" ${LIMITED_TRIES} times in a row.`;
          rejected.push({ entry, errant: { stage: "deliver", reason: outcome.reason, message } });
        }
        break;
      case "unknown":
        unknown.push(entry);
        break;
      case "refused":
        refused.push(entry);
        break;
    }
  }
  return { accepted, onward, rejected, again, apart, unknown, refused };
};

export const isOfOneRecord = (outcome: Outcome): boolean =>
  outcome.status === "refused" || (outcome.status === "retriable" && (outcome.alone ?? outcome.limited) === true);

const GONE: Errant = {
  stage: "deliver",
  reason: "record-gone",
  message: "Sell no longer has the record that was written before, and the route says onMissing: deadLetter.",
};

const isMissed = ({ candidate }: Entry, { result }: { readonly result: string }, { verb }: Cut): boolean =>
  result === "missing" && verb !== "lookup" && candidate?.action === "upsert" && candidate.onMissing === "deadLetter";

/** Of what was answered, in logs and metrics. */
export const nameOf = ({ httpStatus }: Receipt): string => (httpStatus === null ? "no-reply" : `status-${httpStatus}`);
