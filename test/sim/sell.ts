/** Sell as the pipeline meets it: verdicts an item, silence, late applies, waits, an index that lags; and its own ledger. */
import type { Fields } from "../../src/domain/mutation.ts";
import type { Batch, Outcome, Receipt, Write } from "../../src/domain/receipt.ts";
import type { Target } from "../../src/domain/stages.ts";
import type { Dice } from "./dice.ts";
import { type Content, keyOf } from "./erp.ts";
import type { Faults } from "./faults.ts";
import type { Ledger } from "./ledger.ts";
import type { Process, Time } from "./time.ts";

export const TIMEOUT_MS = 6_000;
export const LATE_MAX_MS = 12_000;
/** So long nothing is tried with a token that was refused, unless its file changes. */
const HALT_MS = 60_000;
export const INDEX_LAG_MS = 2_000;

interface SellRecord {
  readonly id: number;
  readonly key: string;
  fields: Fields;
  readonly visibleAtMs: number;
}

/** A request from its start until it can have no effect any more. */
interface Pending {
  readonly process: Process;
  readonly bodies: ReadonlyMap<string, string>;
  isAnswered: boolean;
  mayApply: boolean;
}

export interface SellDeps {
  readonly time: Time;
  readonly dice: Dice;
  readonly ledger: Ledger;
  readonly faults: () => Faults;
  /** Whether ids count, as in the core dialect, or keys alone, as in bulk. */
  readonly byId: boolean;
  /** Each write is stamped, so that their order can be checked. */
  readonly isStamped: boolean;
  readonly note: (what: string) => void;
}

export class Sell {
  readonly #deps: SellDeps;
  readonly #records = new Map<number, SellRecord>();
  readonly #pending = new Set<Pending>();
  readonly #newest = new Map<string, number>();
  readonly applies = new Map<string, number>();
  regressions = 0;
  duplicates = 0;
  requests = 0;
  isHalted = false;
  /** From when a process heard it until when nobody may send. */
  #quietFromMs = 0;
  #quietUntilMs = 0;
  /** When a process last heard that its token is not valid. */
  readonly #halted = new Map<Process, number>();
  #ids = 0;

  constructor(deps: SellDeps) {
    this.#deps = deps;
  }

  target(process: Process): Target {
    return {
      dialect: this.#deps.byId ? "core" : "bulk",
      maxItems: 50,
      account: "test",
      open: async () => {},
      send: (batch, signal) => this.#send(process, batch, signal),
      credentialChanged: (signal) => new Promise((_, reject) => process.onAbort(signal, () => reject(signal.reason))),
      close: async () => {},
    };
  }

  /** Records by key; a key twice is a twin. */
  dump(): ReadonlyMap<string, readonly Content[]> {
    const found = new Map<string, Content[]>();
    for (const record of this.#records.values()) {
      const contents = found.get(record.key) ?? [];
      contents.push(this.#content(record));
      found.set(record.key, contents);
    }
    return found;
  }

  // --- one request ---------------------------------------------------------------------------------------------------------

  #send(process: Process, batch: Batch, signal: AbortSignal): Promise<Receipt> {
    const { time, dice, ledger, faults } = this.#deps;
    this.requests += 1;
    this.#deps.note(
      `${process.name} sends ${batch.verb} ${batch.writes.map((write) => `${keyOf(write)}#${write.id} ${JSON.stringify(write.body)}`).join(" ")}`,
    );
    const pending = this.#started(process, batch);
    const { unknown, throttle, halt } = faults();
    return new Promise((resolve, reject) => {
      const deafen = process.onAbort(signal, () => reject(signal.reason));
      const answer = (ms: number, receipt: Receipt): void => {
        time.after(ms, () =>
          process.deliver(() => {
            pending.isAnswered = true;
            this.#hears(process, receipt);
            this.#forget(pending);
            this.#deps.note(
              `${process.name} hears ${receipt.outcomes.map((outcome) => ("result" in outcome ? outcome.result : outcome.status)).join(" ")}`,
            );
            deafen();
            resolve(receipt);
          }),
        );
      };
      const arrivesMs = dice.between(5, 400);
      time.after(arrivesMs, () => {
        const backMs = dice.between(5, 400);
        if (dice.chance(halt)) this.#haltFor(dice.between(1_000, 20_000));
        if (this.isHalted) {
          ledger.saw("halt");
          this.#over(pending);
          return answer(backMs, receipt(batch, RETRIABLE, { status: 401, halt: HALT }));
        }
        if (dice.chance(throttle)) {
          ledger.saw("throttle");
          this.#over(pending);
          const throttled = { hintMs: dice.pick([1_000, 3_000, 8_000]), source: "body" };
          return answer(backMs, receipt(batch, RETRIABLE, { status: 429, throttle: throttled }));
        }
        if (batch.writes.length > 1 && batch.writes.some(({ body }) => body.bad === "batch")) {
          ledger.saw("refused batch");
          this.#over(pending);
          return answer(backMs, receipt(batch, { status: "refused", reason: "batch" }, { status: 422 }));
        }
        // What a process sent that is gone may be long on its way.
        if (dice.chance(process.state === "running" ? unknown : 0.5))
          return this.#unsure(process, batch, pending, arrivesMs, answer);
        const outcomes = batch.writes.map((write) => this.#outcome(batch, write));
        this.#over(pending);
        answer(backMs, { outcomes, throttle: null, halt: null, httpStatus: 200, ...NOTHING_SAID });
      });
    });
  }

  /** No answer, or one that says nothing: applied, not applied, or applied some time before `LATE_MAX_MS`. */
  #unsure(
    process: Process,
    batch: Batch,
    pending: Pending,
    arrivedMs: number,
    answer: (ms: number, receipt: Receipt) => void,
  ): void {
    const { time, dice, ledger } = this.#deps;
    const how = dice.pick(["lost", "applied", "late"] as const);
    const silence = dice.chance(0.5) || how === "late";
    answer(silence ? TIMEOUT_MS - arrivedMs : 10, receipt(batch, UNKNOWN, { status: silence ? null : 502 }));
    ledger.saw(`unknown outcome, ${how}`);
    const apply = (): void => {
      for (const write of batch.writes) this.#apply(batch, write);
      this.#over(pending);
    };
    if (how === "applied") apply();
    else if (how === "lost") this.#over(pending);
    else {
      time.after(dice.between(0, LATE_MAX_MS - arrivedMs - 1), () => {
        if (process.state !== "running") ledger.saw("late apply of a process that is gone");
        apply();
      });
    }
  }

  #outcome(batch: Batch, write: Write): Outcome {
    const { dice, faults } = this.#deps;
    if (dice.chance(faults().retriable)) return RETRIABLE;
    return this.#apply(batch, write);
  }

  #started(process: Process, batch: Batch): Pending {
    const { ledger } = this.#deps;
    if (process.state !== "running") ledger.fail(`${process.name} sends though it is ${process.state}`);
    if (this.#quietFromMs < this.#deps.time.nowMs && this.#deps.time.nowMs < this.#quietUntilMs)
      ledger.fail("a request inside a wait that Sell asked for");
    const haltedMs = this.#halted.get(process);
    if (haltedMs !== undefined && haltedMs < this.#deps.time.nowMs && this.#deps.time.nowMs < haltedMs + HALT_MS)
      ledger.fail("a request although the token is not valid");
    const bodies = new Map(batch.writes.map((write) => [keyOf(write), `${batch.verb} ${JSON.stringify(write.body)}`]));
    if (bodies.size !== batch.writes.length) ledger.fail("a key twice in a batch");
    const pending = { process, bodies, isAnswered: false, mayApply: true };
    if (batch.verb === "lookup") return pending;
    for (const other of this.#pending) {
      for (const [key, body] of bodies) {
        const earlier = other.bodies.get(key);
        if (earlier === undefined) continue;
        if (other.process === process && !other.isAnswered) ledger.fail(`${key} is twice on the wire`);
        else if (!other.mayApply) continue;
        else if (earlier !== body) ledger.fail(`${key} is sent as ${body} while ${earlier} may still be applied`);
        else if (other.process !== process) ledger.fail(`${key} is on the wire of two processes`);
      }
    }
    this.#pending.add(pending);
    return pending;
  }

  #hears(process: Process, { throttle, halt }: Receipt): void {
    const { nowMs } = this.#deps.time;
    if (halt !== null && nowMs >= (this.#halted.get(process) ?? -HALT_MS) + HALT_MS) this.#halted.set(process, nowMs);
    if (throttle === null) return;
    if (nowMs >= this.#quietUntilMs) this.#quietFromMs = nowMs;
    this.#quietUntilMs = Math.max(this.#quietUntilMs, nowMs + (throttle.hintMs ?? 0));
  }

  #over(pending: Pending): void {
    pending.mayApply = false;
    this.#forget(pending);
  }

  #forget(pending: Pending): void {
    const { isAnswered, mayApply, process } = pending;
    if (!mayApply && (isAnswered || process.state === "dead")) this.#pending.delete(pending);
  }

  #haltFor(ms: number): void {
    this.isHalted = true;
    this.#deps.time.after(ms, () => {
      this.isHalted = false;
    });
  }

  // --- the table -----------------------------------------------------------------------------------------------------------

  #apply({ verb }: Batch, write: Write): Outcome {
    const { time, dice, byId } = this.#deps;
    const key = keyOf(write);
    const visible = [...this.#records.values()].find(
      (record) => record.key === key && record.visibleAtMs <= time.nowMs,
    );
    const found = byId || verb !== "upsert" ? (write.id === null ? visible : this.#records.get(write.id)) : visible;
    if (verb === "lookup") return accepted(visible === undefined ? "missing" : "found", visible?.id ?? null);
    if (write.body.bad !== undefined) return REJECTED;
    if (verb === "delete") {
      if (found !== undefined) {
        this.#records.delete(found.id);
        this.#changed(key, null, null);
      }
      return accepted(found === undefined ? "missing" : "deleted", found?.id ?? null);
    }
    if (typeof write.body.contact_id === "number" && !this.#records.has(write.body.contact_id)) return REJECTED;
    if (found === undefined && (verb === "update" || write.id !== null) && byId) return accepted("missing", null);
    const isNew = found === undefined;
    const record = found ?? {
      id: ++this.#ids,
      key,
      fields: {},
      visibleAtMs: time.nowMs + dice.between(0, INDEX_LAG_MS - 100),
    };
    record.fields = { ...record.fields, ...write.body };
    this.#records.set(record.id, record);
    this.#changed(key, this.#content(record), write.body.stamp);
    return accepted(isNew ? "created" : "updated", record.id);
  }

  #content({ fields }: SellRecord): Content {
    const parent = typeof fields.contact_id === "number" ? this.#records.get(fields.contact_id) : undefined;
    return JSON.stringify([fields.name, fields.stamp ?? null, parent?.key.slice("accounts/".length) ?? null]);
  }

  #changed(key: string, content: Content, stamp: unknown): void {
    this.#deps.note(`Sell: ${key} = ${content}`);
    this.#deps.ledger.applied(key, content);
    if (typeof stamp !== "number") return;
    const newest = this.#newest.get(key) ?? -1;
    if (stamp < newest) this.regressions += 1;
    if (stamp === newest) this.duplicates += 1;
    this.#newest.set(key, Math.max(newest, stamp));
  }
}

const RETRIABLE: Outcome = { status: "retriable", reason: "busy" };
const UNKNOWN: Outcome = { status: "unknown", reason: "no-reply" };
const NOTHING_SAID = { names: null, announced: null } as const;
const REJECTED: Outcome = { status: "rejected", reason: "invalid", message: "Sell does not like it.", httpStatus: 422 };
const HALT = { kind: "auth", message: "The token is not valid any more." } as const;

const accepted = (result: (Outcome & { status: "accepted" })["result"], id: number | null): Outcome => ({
  status: "accepted",
  result,
  id,
});

const receipt = (
  { writes }: Batch,
  outcome: Outcome,
  {
    status,
    throttle = null,
    halt = null,
  }: { status: number | null; throttle?: Receipt["throttle"]; halt?: Receipt["halt"] },
): Receipt => ({ outcomes: writes.map(() => outcome), throttle, halt, httpStatus: status, ...NOTHING_SAID });
