/**
 * A brake on mass deletion and creation: a truncated table or a wrong key must not empty or flood the CRM before a person has
 * looked. Beyond its number an hour a route's topic stops, nothing of it is lost or committed, until a person accepts a larger
 * number: in the configuration, or by a note on the board. With Redis all replicas count together, and a restart forgets nothing.
 */
import type { Mutation } from "../domain/mutation.ts";
import type { Clock } from "../lib/clock.ts";
import type { Emit } from "../telemetry/events.ts";
import type { Count } from "./count.ts";
import { BRAKE_KINDS, type BrakeKind, type BrakeNote, type Note } from "./notes.ts";
import { type BrakedRoute, holds } from "./standing.ts";

export interface BrakeDeps {
  readonly routes: readonly BrakedRoute[];
  readonly count: Count;
  readonly clock: Clock;
  readonly emit: Emit;
  /** Topics stopped, or go on. */
  readonly changed: () => void;
}

type Change = Pick<Mutation, "route" | "key">;

const ASK_AGAIN_MS = 500;

export class Brake {
  readonly #deps: BrakeDeps;
  readonly #routes: ReadonlyMap<string, BrakedRoute>;
  /** The newest note of each brake, by kind and route. */
  readonly #notes = new Map<string, Note<BrakeNote>>();
  #stopped: ReadonlySet<string> = new Set();

  constructor(deps: BrakeDeps) {
    this.#deps = deps;
    this.#routes = new Map(deps.routes.map((route) => [route.name, route]));
  }

  isStopped(topic: string): boolean {
    return this.#stopped.has(topic);
  }

  /**
   * Asked before deletions are sent, once a batch; a record may be asked for again. Of each: it may go. Null: nobody can tell
   * now, so that none may. When one may not its topic has stopped.
   */
  async mayDelete(changes: readonly Change[]): Promise<readonly boolean[] | null> {
    return this.#count("deletions", changes).catch(() => null);
  }

  /**
   * Whether a write will create is known only afterwards: what is on the wire by the time the brake trips still goes through.
   * Resolves once it is counted, however long Redis is away.
   */
  async created(changes: readonly Change[], signal: AbortSignal): Promise<void> {
    for (let isCounted = false; !isCounted; ) {
      signal.throwIfAborted();
      isCounted = (await this.#count("creations", changes).catch(() => null)) !== null;
      if (!isCounted) await this.#deps.clock.sleep(ASK_AGAIN_MS, signal);
    }
  }

  /** What the board, or the count, says of a brake; an older note changes nothing. */
  learn(kind: BrakeKind, routeName: string, note: Note<BrakeNote>): void {
    const route = this.#routes.get(routeName);
    const known = this.#notes.get(`${kind} ${routeName}`);
    if (route === undefined || (known !== undefined && known.revision >= note.revision)) return;
    const wasHolding = this.#holds(kind, route);
    this.#notes.set(`${kind} ${routeName}`, note);
    const { name, topic } = route;
    const { content } = note;
    if (content.state === "tripped" && this.#holds(kind, route)) {
      const { limit, samples } = content;
      this.#deps.emit("brake-engaged", { route: name, topic, kind, limit, samples: samples.join(", ") });
    } else if (content.state === "accepted" && wasHolding) {
      const limit = content.limit ?? "any number of";
      this.#deps.emit("brake-released", { route: name, topic, kind, limit, who: content.who });
    }
    if (wasHolding === this.#holds(kind, route)) return;
    const held = this.#deps.routes.filter((other) => BRAKE_KINDS.some((each) => this.#holds(each, other)));
    this.#stopped = new Set(held.map((other) => other.topic));
    this.#deps.changed();
  }

  #holds(kind: BrakeKind, { name, brake }: BrakedRoute): boolean {
    return holds(this.#notes.get(`${kind} ${name}`)?.content, brake[kind]);
  }

  /** One question a route: in practice one a batch. */
  async #count(kind: BrakeKind, changes: readonly Change[]): Promise<readonly boolean[]> {
    const within = changes.map(() => true);
    for (const [name, { brake, topic }] of this.#routes) {
      const limit = brake[kind];
      const at = limit === null ? [] : [...changes.keys()].filter((i) => changes[i]?.route === name);
      if (limit === null || at.length === 0) continue;
      const keys = at.map((i) => changes[i]?.key ?? "");
      if (this.isStopped(topic)) {
        for (const i of at) within[i] = false;
        continue;
      }
      const counted = await this.#deps.count.count(kind, name, limit, keys);
      for (const [n, i] of at.entries()) within[i] = counted.within[n] === true;
      if (counted.note !== null) this.learn(kind, name, counted.note);
    }
    return within;
  }
}
