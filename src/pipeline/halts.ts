/**
 * Sell refuses the credential or a right: nothing is wrong with the records, so they wait until it is worth another try, all
 * of them or those of one entity. Then one request goes ahead as a probe, and only its answer lets the others follow.
 */
import type { Entity } from "../domain/mutation.ts";
import { type Halt, isVerdict, type Receipt } from "../domain/receipt.ts";
import type { Target } from "../domain/stages.ts";
import type { Clock } from "../lib/clock.ts";
import type { Tasks } from "../lib/tasks.ts";
import type { Emit } from "../telemetry/events.ts";

export interface HaltsDeps {
  readonly target: Target;
  readonly clock: Clock;
  readonly emit: Emit;
  readonly tasks: Tasks;
  /** Something may be sent again. */
  readonly changed: () => void;
}

/** `waiting`: nothing is sent; `due`: one request may go; `probing`: it is on its way. */
type State = "waiting" | "due" | "probing";
type Scope = Entity | "everything";

export class Halts {
  readonly #deps: HaltsDeps;
  readonly #states = new Map<Scope, State>();

  constructor(deps: HaltsDeps) {
    this.#deps = deps;
  }

  /** Of some entity or of all. */
  get isHalted(): boolean {
    return this.#states.size > 0;
  }

  /** Whether anything may be sent at all. */
  get maySend(): boolean {
    return this.#isOpen("everything");
  }

  maySendOf(entity: Entity): boolean {
    return this.#isOpen(entity);
  }

  /** Call it when a request leaves: while a scope is halted it is the probe. */
  sent(entity: Entity): void {
    for (const scope of scopesOf(entity)) if (this.#states.get(scope) === "due") this.#states.set(scope, "probing");
  }

  /** Call it with every receipt. */
  answered(entity: Entity, { halt, outcomes }: Receipt, signal: AbortSignal): void {
    if (halt !== null) this.#halt(halt, entity, signal);
    const isClear = halt === null && outcomes.some(isVerdict);
    for (const scope of scopesOf(entity)) {
      if (this.#states.get(scope) !== "probing") continue;
      if (isClear) this.#lift(scope);
      else this.#states.set(scope, "due"); // no answer to the question: the next request asks it
    }
  }

  #isOpen(scope: Scope): boolean {
    const state = this.#states.get(scope);
    return state === undefined || state === "due";
  }

  #halt({ kind, message }: Halt, entity: Entity, signal: AbortSignal): void {
    const scope = kind === "rights" || kind === "blocked" ? entity : "everything";
    const state = this.#states.get(scope);
    if (state === "waiting") return; // others on their way are answered alike
    this.#states.set(scope, "waiting");
    if (state === undefined) this.#deps.emit("halted", { kind, scope, message });
    this.#deps.tasks.own(this.#tryLater(scope, signal));
  }

  async #tryLater(scope: Scope, signal: AbortSignal): Promise<void> {
    const { target, clock, changed } = this.#deps;
    await worthAnotherTry(target, clock, signal);
    this.#states.set(scope, "due");
    changed();
  }

  #lift(scope: Scope): void {
    this.#states.delete(scope);
    this.#deps.emit("unhalted", { scope });
    this.#deps.changed();
  }
}

const scopesOf = (entity: Entity): readonly Scope[] => ["everything", entity];

/** Permissions change on the other side unseen. */
const RETRY_MS = 60_000;

/** Resolves when the credential's file changed, and after a minute all the same. */
export const worthAnotherTry = async (target: Target, clock: Clock, signal: AbortSignal): Promise<void> => {
  const first = new AbortController();
  const either = AbortSignal.any([signal, first.signal]);
  const waits = [target.credentialChanged(either), clock.sleep(RETRY_MS, either)];
  await Promise.race(waits);
  first.abort();
  await Promise.allSettled(waits);
};
