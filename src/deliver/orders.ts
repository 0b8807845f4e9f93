/**
 * Orders with their lines. Sell finds an order by its deal alone, and its lines can only be added and taken away, so an order
 * takes several requests: first its head, then its lines are read, then they are brought about one by one. Each request is a
 * step that is sent like any other write; what is known so far stands in a note, and without it the steps begin again.
 */
import { strict as assert } from "node:assert";
import type { Fields, FieldValue } from "../domain/mutation.ts";
import type { Batch, Outcome, Write } from "../domain/receipt.ts";
import { type Call, one, stepDone, unknown } from "./call.ts";
import { CREATION_OPEN, envelope, findCall, lookupCall, postCall, putCall, readDeletion, writeCall } from "./core.ts";
import { firstDifference, type Line, newLine } from "./lines.ts";
import { pagePath, readPage } from "./listing.ts";
import { type Notes, noteOf } from "./notes.ts";
import { isId, resourceOf } from "./resources.ts";

export interface OrderNote {
  /** Null: surely none. */
  readonly id: number | null;
  /** The head as it was written last; null: it was not yet. */
  readonly head: string | null;
  readonly isNew: boolean;
  /** Null: not read yet. */
  readonly lines: readonly Line[] | null;
  /** Pages of lines that were read. */
  readonly pages: readonly (readonly Line[])[];
  /** Monotonic milliseconds before which a line may yet appear that nobody answered for. */
  readonly openUntilMs: number;
}

export interface OrderContext {
  readonly keyField: string;
  readonly notes: Notes<OrderNote>;
  /** Ids of deals by ERP key, for orders that are looked for. */
  readonly deals: Notes<number>;
  readonly nowMs: number;
  readonly openMs: number;
  /** How the dialect writes heads; null: one by one, as the core dialect does. */
  readonly headsInBulk: ((batch: Batch) => Call) | null;
}

const ORDERS = resourceOf("orders");
const UNKNOWN_ORDER: OrderNote = { id: null, head: null, isNew: false, lines: null, pages: [], openUntilMs: 0 };

/** The next step of an order, or of several that all begin. An outcome in place of a call: it is not the time for one. */
export const orderCall = (batch: Batch, context: OrderContext): Call | Outcome => {
  const [write] = batch.writes;
  assert(write !== undefined, "a batch is never empty");
  if (batch.verb === "lookup") return findOrder(write, context);
  const note = batch.writes.length === 1 ? context.notes.get(noteOf(write)) : undefined;
  const { lines, head } = partsOf(write.body);
  if (note?.head === JSON.stringify(head) && note.id !== null && lines !== null)
    return lineStep(write, note.id, note, lines, context);
  // A search may not find yet what was written a moment ago; its id does.
  return context.headsInBulk === null || (note !== undefined && note.id !== null)
    ? headStep(write, batch.verb === "update", note, context)
    : noted(context.headsInBulk({ ...batch, writes: batch.writes.map(headOf) }), batch.writes, context);
};

const partsOf = ({ lines, ...head }: Fields): { readonly head: Fields; readonly lines: readonly Fields[] | null } => ({
  head,
  lines: isLines(lines) ? lines : null,
});

const isLines = (value: FieldValue | undefined): value is readonly Fields[] => Array.isArray(value);
const headOf = (write: Write): Write => ({ ...write, body: partsOf(write.body).head });

/** By its key an order is found in two steps: which deal, and which order of it. */
const findOrder = (write: Write, { keyField, deals }: OrderContext): Call => {
  const deal = deals.get(noteOf(write));
  if (deal !== undefined) {
    deals.forget(noteOf(write));
    return orderOfDeal(deal);
  }
  const lookup = lookupCall(write, resourceOf("deals"), keyField);
  return {
    ...lookup,
    read: (reply) => {
      const reading = lookup.read(reply);
      const [outcome] = reading.outcomes;
      if (outcome?.status !== "accepted" || outcome.id === null) return reading;
      deals.put(noteOf(write), outcome.id);
      return one(stepDone("looked-up", true));
    },
  };
};

const orderOfDeal = (deal: number): Call =>
  findCall(`${ORDERS.corePath}?deal_id=${deal}`, (data) => data["deal_id"] === deal);

/** In the core dialect: by id, else find it, else create it. */
const headStep = (write: Write, isUpdate: boolean, note: OrderNote | undefined, context: OrderContext): Call => {
  const { keyField, notes } = context;
  const head = headOf(write);
  const id = note === undefined ? write.id : note.id;
  if (id !== null) return noted(putCall(head, ORDERS, keyField, id), [write], context);
  assert(!isUpdate, "an update needs the id of the record");
  const deal = write.body["deal_id"];
  if (note !== undefined || !isId(deal)) return noted(postCall(head, ORDERS, keyField), [write], context);
  const lookup = orderOfDeal(deal);
  return {
    ...lookup,
    read: (reply) => {
      const [outcome = unknown("reply-unreadable")] = lookup.read(reply).outcomes;
      if (outcome.status !== "accepted") return one(outcome);
      notes.put(noteOf(write), { ...UNKNOWN_ORDER, id: outcome.id });
      return one(stepDone("looked-up", true));
    },
  };
};

/** A head that was written is noted, and what is left are its lines. */
const noted = (call: Call, writes: readonly Write[], { notes }: OrderContext): Call => ({
  ...call,
  read: (reply) => {
    const reading = call.read(reply);
    return { ...reading, outcomes: reading.outcomes.map((outcome, index) => afterHead(outcome, writes[index], notes)) };
  },
  refused: (outcome) => afterHead(outcome, writes[0], notes),
});

const afterHead = (outcome: Outcome, write: Write | undefined, notes: Notes<OrderNote>): Outcome => {
  if (write === undefined || outcome.status === "retriable") return outcome;
  const before = notes.get(noteOf(write)) ?? UNKNOWN_ORDER;
  notes.forget(noteOf(write));
  // Somebody else was faster, or the search did not know it yet: it will be found.
  if (outcome.status === "rejected" && outcome.code === "already_exists")
    return { status: "retriable", reason: "already-exists", limited: true };
  if (outcome.status !== "accepted" || outcome.id === null) return outcome;
  const { head, lines } = partsOf(write.body);
  const isNew = outcome.result === "created";
  if (lines === null || (isNew && lines.length === 0)) return outcome;
  // Lines that were read or written a moment ago are better known here than to a search.
  const known = before.id === outcome.id ? before : UNKNOWN_ORDER;
  const note = { ...known, id: outcome.id, head: JSON.stringify(head), isNew: isNew || known.isNew };
  notes.put(noteOf(write), isNew ? { ...note, lines: [] } : note);
  return stepDone("head-written", true);
};

const lineStep = (
  write: Write,
  id: number,
  note: OrderNote,
  wanted: readonly Fields[],
  context: OrderContext,
): Call | Outcome => {
  if (note.lines === null)
    return note.openUntilMs > context.nowMs ? CREATION_OPEN : readLines(write, id, note, wanted, context);
  const difference = firstDifference(note.lines, wanted);
  if (difference === null) return finished(write, id, note, context); // a newer change wants what is there
  return difference.kind === "extra"
    ? deleteLine(write, id, note, note.lines, difference.line, wanted, context)
    : addLine(write, id, note, note.lines, difference.wanted, wanted, context);
};

const linesPath = (id: number): string => `${ORDERS.corePath}/${id}/line_items`;

const readLines = (
  write: Write,
  id: number,
  note: OrderNote,
  wanted: readonly Fields[],
  context: OrderContext,
): Call => {
  const page = note.pages.length + 1;
  return stepCall(write, context, {
    request: { method: "GET", path: pagePath(linesPath(id), page), body: null },
    byId: true,
    read: ({ body }) => {
      const found = readPage(body, ({ id: lineId, ...data }): Line | null =>
        isId(lineId) ? { id: lineId, data } : null,
      );
      if (found === null) return one(unknown("reply-unreadable"));
      const pages = [...note.pages, found.items];
      if (!found.isLast) {
        context.notes.put(noteOf(write), { ...note, pages });
        return one(stepDone("lines-read", true));
      }
      return one(proceed(write, id, { ...note, lines: pages.flat(), pages: [] }, wanted, context));
    },
  });
};

const addLine = (
  write: Write,
  id: number,
  note: OrderNote,
  lines: readonly Line[],
  line: Fields,
  wanted: readonly Fields[],
  context: OrderContext,
): Call => {
  const request = { method: "POST", path: linesPath(id), body: envelope(newLine(line)) } as const;
  const call = writeCall(request, true, (_, lineId) =>
    // Noted as it was asked for: Sell may round what it shows, and a line must not be replaced for ever.
    proceed(write, id, { ...note, lines: [...lines, { id: lineId, data: line }] }, wanted, context),
  );
  return stepCall(write, context, call, note);
};

const deleteLine = (
  write: Write,
  id: number,
  note: OrderNote,
  lines: readonly Line[],
  line: Line,
  wanted: readonly Fields[],
  context: OrderContext,
): Call => {
  const gone = (): Outcome =>
    proceed(write, id, { ...note, lines: lines.filter((other) => other !== line) }, wanted, context);
  return {
    request: { method: "DELETE", path: `${linesPath(id)}/${line.id}`, body: null },
    byId: true,
    read: (reply) => one(readDeletion(reply, line.id) ?? gone()),
    refused: (outcome) => {
      if (outcome.status === "accepted") return gone(); // 404: it was gone before
      if (outcome.status !== "retriable") context.notes.forget(noteOf(write));
      return outcome;
    },
  };
};

/** Notes how far it has come, and says whether that was the last step. */
const proceed = (
  write: Write,
  id: number,
  note: OrderNote,
  wanted: readonly Fields[],
  context: OrderContext,
): Outcome => {
  if (note.lines !== null && firstDifference(note.lines, wanted) === null) return finished(write, id, note, context);
  context.notes.put(noteOf(write), note);
  return stepDone("line-written", true);
};

const finished = (write: Write, id: number, { isNew }: OrderNote, { notes }: OrderContext): Outcome => {
  notes.forget(noteOf(write));
  return { status: "accepted", result: isNew ? "created" : "updated", id, lags: true };
};

/** A refused step is forgotten with all before it; a line that may yet appear is waited for before lines are read again. */
const stepCall = (write: Write, { notes, nowMs, openMs }: OrderContext, call: Call, creating?: OrderNote): Call => ({
  ...call,
  refused: (outcome) => {
    if (outcome.status === "retriable") return outcome;
    if (outcome.status === "unknown" && creating !== undefined)
      notes.put(noteOf(write), { ...creating, lines: null, pages: [], openUntilMs: nowMs + openMs });
    else notes.forget(noteOf(write));
    return outcome;
  },
});
