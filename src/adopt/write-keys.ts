/**
 * Writes ERP keys to the records that were matched, and remembers their ids. What may have changed since they were matched is
 * read once more just before: a record that has a key by then keeps it. Whatever becomes of it, the same run again goes on.
 */
import { ConnectorError } from "../domain/errors.ts";
import type { Entity } from "../domain/mutation.ts";
import type { Batch, Outcome, Receipt, Write } from "../domain/receipt.ts";
import type { Found, Search } from "../domain/search.ts";
import type { EntityStore, Gate, Permit } from "../domain/stages.ts";
import { patiently } from "../lib/patiently.ts";
import { type PatienceDeps, someMinutes } from "./patience.ts";

export interface Matched {
  readonly key: string;
  readonly id: number;
}

export interface Crm {
  readonly maxItems: number;
  search(what: Search, permit: () => Promise<Permit>, signal: AbortSignal): Promise<Found>;
  send(batch: Batch, signal: AbortSignal): Promise<Receipt>;
}

export interface WritingDeps extends PatienceDeps {
  readonly entity: Entity;
  readonly crm: Crm;
  readonly gate: Pick<Gate, "acquire" | "tell" | "see">;
  /** Null: nobody would remember. */
  readonly store: Pick<EntityStore, "remember"> | null;
}

/** `overtaken`: it has another key by now, or is gone. `unanswered`: nothing is known, and the same run again finds out. */
export type Written = Matched &
  ({ readonly is: "written" | "overtaken" } | { readonly is: "refused" | "unanswered"; readonly message: string });

/** Items of a batch, and of the question before it. */
const CHUNK = 50;
/** Requests at once where each takes a single record: an answer takes longer than the quota's pace. */
const LANES = 8;

/** So many batches in a row without an answer, each asked for minutes: Sell is away. One alone may have itself to blame. */
const SILENCES_MAX = 2;

/**
 * Gives what became of them, chunk by chunk, in no promised order. Rejects with a ConnectorError when Sell does not answer, or
 * refuses us as such; what was given before is as it says.
 */
export async function* writeKeys(
  matched: readonly Matched[],
  deps: WritingDeps,
  signal: AbortSignal,
): AsyncGenerator<readonly Written[]> {
  let silences = 0;
  const send = async (writes: readonly Write[], done: Written[]): Promise<void> => {
    const results = await settled(writes, deps, signal);
    done.push(...results);
    const [first] = results;
    silences = results.every(({ is }) => is === "unanswered") ? silences + 1 : 0;
    if (silences >= SILENCES_MAX && first?.is === "unanswered") throw away(first.message);
  };
  for (let at = 0; at < matched.length; at += CHUNK) {
    const { free, held, overtaken } = await lookAgain(matched.slice(at, at + CHUNK), deps, signal);
    const done: Written[] = [...held, ...overtaken];
    const lanes = await inLanes(batchesOf(free, deps), (writes) => send(writes, done));
    yield done;
    await remember(
      done.filter(({ is }) => is === "written"),
      deps,
      signal,
    );
    for (const lane of lanes) if (lane.status === "rejected") throw lane.reason;
  }
}

/** What pages told some time ago, told now. */
const lookAgain = async (chunk: readonly Matched[], deps: WritingDeps, signal: AbortSignal) => {
  const { entity, crm, gate } = deps;
  const permit = (): Promise<Permit> => gate.acquire("backfill", signal);
  const ids = chunk.map(({ id }) => id);
  const { records } = await patiently(
    deps.clock,
    someMinutes(deps),
    () => crm.search({ entity, ids }, permit, signal),
    signal,
  );
  const keys = new Map(records.map(({ id, key }) => [id, key]));
  const as = (is: "written" | "overtaken", isSo: (key: string | null | undefined, wanted: string) => boolean) =>
    chunk.filter(({ id, key }) => isSo(keys.get(id), key)).map((match) => ({ is, ...match }));
  return {
    free: chunk.filter(({ id }) => keys.get(id) === null),
    held: as("written", (key, wanted) => key === wanted),
    overtaken: as("overtaken", (key, wanted) => key !== null && key !== wanted),
  };
};

const batchesOf = (free: readonly Matched[], { entity, crm }: WritingDeps): readonly (readonly Write[])[] => {
  const writes = free.map(({ key, id }) => ({ entity, key, id, body: {} }));
  const size = Math.min(CHUNK, crm.maxItems);
  return Array.from({ length: Math.ceil(writes.length / size) }, (_, i) => writes.slice(i * size, (i + 1) * size));
};

/** A lane ends with its first failure; the others end their own. */
const inLanes = <T>(items: readonly T[], work: (item: T) => Promise<void>) => {
  const left = items.values();
  const lane = async (): Promise<void> => {
    for (const item of left) await work(item);
  };
  return Promise.allSettled(Array.from({ length: LANES }, lane));
};

/** Naming a record by its id, the same request may be repeated: nothing comes twice of it. */
const settled = async (
  writes: readonly Write[],
  deps: WritingDeps,
  signal: AbortSignal,
): Promise<readonly Written[]> => {
  const { entity, crm, gate, clock } = deps;
  const { tries, waitMs } = someMinutes(deps);
  const done: Written[] = [];
  let left = writes;
  for (let attempt = 1; left.length > 0; ) {
    const permit = await gate.acquire("backfill", signal);
    const receipt = await crm.send({ entity, verb: "update", writes: left }, signal);
    if (receipt.announced !== null) gate.see(receipt.announced, permit);
    if (receipt.throttle !== null) await gate.tell(receipt.throttle, permit);
    if (receipt.halt !== null) throw new ConnectorError("SELL_HALTED", receipt.halt.message, { retriable: false });
    const isLastTry = attempt === tries && receipt.throttle === null;
    const verdicts = left.map((write, i) => verdictOn(write, receipt.outcomes[i], isLastTry));
    done.push(...verdicts.filter((verdict) => typeof verdict === "object"));
    const refused = left.filter((_, i) => verdicts[i] === "in halves");
    const half = Math.ceil(refused.length / 2);
    for (const part of [refused.slice(0, half), refused.slice(half)]) done.push(...(await settled(part, deps, signal)));
    left = left.filter((_, i) => verdicts[i] === "again");
    if (left.length === 0 || receipt.throttle !== null) continue; // the gate knows how long to wait
    await clock.sleep(waitMs(attempt), signal);
    attempt += 1;
  }
  return done;
};

const verdictOn = (
  { key, id }: Write,
  outcome: Outcome = { status: "unknown", reason: "no-verdict" },
  isLastTry: boolean,
): Written | "again" | "in halves" => {
  const match = { key, id: id ?? 0 };
  switch (outcome.status) {
    case "accepted":
      return { is: outcome.result === "missing" ? "overtaken" : "written", ...match };
    case "rejected":
      return { is: "refused", message: outcome.message, ...match };
    case "refused":
      return "in halves";
    case "progress":
      return "again";
    case "retriable":
    case "unknown":
      return isLastTry ? { is: "unanswered", message: outcome.reason, ...match } : "again";
  }
};

/** Sell's search finds a new key only later: whoever remembers the id need not search. */
export const remember = async (
  known: readonly Matched[],
  { store, clock, entity }: WritingDeps,
  signal: AbortSignal,
): Promise<void> => {
  const blank = { deleted: false, version: null, route: null, fingerprint: null };
  const memory = { ...blank, acceptedAtMs: clock.now(), from: "adopt" };
  const entries = known.map(
    ({ key, id }) =>
      [
        { entity, key },
        { ...memory, id },
      ] as const,
  );
  await store?.remember(entries, signal);
};

const away = (reason: string): ConnectorError =>
  new ConnectorError("SELL_UNREACHABLE", `Sell does not answer as it should (${reason}).`, { retriable: true });
