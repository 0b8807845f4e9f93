/**
 * Replicas that share a quota, walked through virtual time over the real scripts in a real Redis: only the clock is ours, so
 * an hour takes a second and a failing walk can be replayed and shrunk.
 *
 * A replica does here what the gate does: it waits in each lane for the turn it was promised, repeats the cool-down it knows
 * with every question and by beats, and uses no permit before that cool-down ends.
 */
import type { Redis } from "ioredis";
import type { Lane } from "../../src/domain/mutation.ts";
import { answered, type QuotaReply } from "../../src/gate/limiter.ts";
import type { Quota } from "../../src/gate/quota.ts";
import { RedisLimiter } from "../../src/gate/redis-limiter.ts";

/** Everything a walk can do; times in milliseconds. */
export type Step =
  | { readonly do: "run"; readonly ms: number }
  /** One live call, of a replica without a live backlog. */
  | { readonly do: "want"; readonly replica: number }
  | { readonly do: "tell"; readonly replica: number; readonly hintMs: number }
  /** Dies holding its turns; its successor knows the cool-down from the offsets it committed. */
  | { readonly do: "crash"; readonly replica: number }
  | { readonly do: "lose-state" }
  | { readonly do: "clock-back"; readonly ms: number };

interface Replica {
  readonly limiter: RedisLimiter;
  readonly lanes: readonly Lane[];
  readonly turnMs: Record<Lane, number>;
  wantedSinceMs: number | null;
  cooldown: { endsAt: string; untilMs: number };
  beatMs: number;
}

export interface Grant {
  readonly atMs: number;
  readonly lane: Lane;
  readonly replica: number;
}

export interface Breach {
  readonly what: string;
  readonly atMs: number;
}

export interface WalkOptions {
  readonly redis: Redis;
  readonly scopeText: string;
  readonly quota: Quota;
  /** The lanes in which each replica has an endless backlog. */
  readonly lanes: readonly (readonly Lane[])[];
  /** How late replica 0 comes to each of its turns. */
  readonly lateMs?: number;
}

const START_MS = 1_700_000_000_000;

export class GateWalk {
  readonly grants: Grant[] = [];
  readonly breaches: Breach[] = [];
  /** How long each single live call waited. */
  readonly waitsMs: number[] = [];
  questions = 0;
  readonly #options: WalkOptions;
  readonly #replicas: Replica[];
  #nowMs = 0;
  #clockOffMs = START_MS;
  #generation = 0;
  /** The latest end that any server answer announced. */
  #announcedMs = 0;
  #closedUntilMs = 0;
  #endsAt: readonly [incarnation: string, endsAt: number] = ["", 0];

  constructor(options: WalkOptions) {
    this.#options = options;
    this.#replicas = options.lanes.map((lanes, at) => this.#newReplica(lanes, at));
  }

  get keyPrefix(): string {
    return this.#replicas[0]?.limiter.keyPrefix ?? "";
  }

  async take(step: Step): Promise<void> {
    const { redis } = this.#options;
    switch (step.do) {
      case "run":
        return this.#run(step.ms);
      case "want": {
        const replica = this.#at(step.replica);
        replica.wantedSinceMs ??= this.#nowMs;
        replica.turnMs.live = this.#nowMs;
        return;
      }
      case "tell": {
        const replica = this.#at(step.replica);
        this.#announcedMs = Math.max(this.#announcedMs, this.#nowMs + step.hintMs);
        if (this.#nowMs + step.hintMs > replica.cooldown.untilMs) {
          replica.cooldown = { endsAt: "0", untilMs: this.#nowMs + step.hintMs };
        }
        return this.#beat(replica);
      }
      case "crash": {
        const at = step.replica % this.#replicas.length;
        const dead = this.#at(at);
        const successor = this.#newReplica(dead.lanes, at);
        successor.cooldown = { endsAt: "0", untilMs: dead.cooldown.untilMs };
        this.#replicas[at] = successor;
        return;
      }
      case "lose-state":
        await redis.del(["s", "r", "t0", "t1", "m"].map((part) => `${this.keyPrefix}:${part}`));
        return;
      case "clock-back":
        this.#clockOffMs -= step.ms;
    }
  }

  /** Most grants in any window of `ms`. */
  fullest(ms: number): number {
    let first = 0;
    return this.grants.reduce((most, { atMs }, last) => {
      while (atMs - (this.grants[first]?.atMs ?? 0) >= ms) first++;
      return Math.max(most, last - first + 1);
    }, 0);
  }

  longestGapMs(): number {
    return Math.max(0, ...this.grants.slice(1).map(({ atMs }, before) => atMs - (this.grants[before]?.atMs ?? atMs)));
  }

  async #run(ms: number): Promise<void> {
    const untilMs = this.#nowMs + ms;
    for (;;) {
      const next = this.#nextEvent();
      if (next.atMs > untilMs) break;
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      await next.happen();
    }
    this.#nowMs = untilMs;
  }

  #nextEvent(): { readonly atMs: number; readonly happen: () => Promise<void> } {
    const events = this.#replicas.flatMap((replica, at) => [
      { atMs: replica.beatMs, happen: () => this.#beat(replica) },
      ...lanesOf(replica).map((lane) => ({
        atMs: Math.max(replica.turnMs[lane], replica.cooldown.untilMs) + (at === 0 ? (this.#options.lateMs ?? 0) : 0),
        happen: () => this.#ask(replica, at, lane),
      })),
    ]);
    return events.reduce((first, event) => (event.atMs < first.atMs ? event : first));
  }

  async #ask(replica: Replica, at: number, lane: Lane): Promise<void> {
    const { endsAt, untilMs } = replica.cooldown;
    const cooldown = { endsAt, leftMs: Math.max(0, untilMs - this.#nowMs) };
    const more = replica.lanes.includes(lane);
    const reply = await answered(replica.limiter.consume(lane, 1, { more, cooldown }));
    this.#heard(replica, reply);
    replica.turnMs[lane] = this.#nowMs + Math.max(1, reply.msBeforeNext);
    if (!reply.granted) return;
    if (this.#nowMs < this.#announcedMs) this.#breach("a grant inside a cool-down");
    if (this.#nowMs < this.#closedUntilMs) this.#breach("a grant right after the state was lost");
    if (!more && replica.wantedSinceMs !== null) {
      this.waitsMs.push(this.#nowMs - replica.wantedSinceMs);
      replica.wantedSinceMs = null;
    }
    this.grants.push({ atMs: this.#nowMs, lane, replica: at });
  }

  async #beat(replica: Replica): Promise<void> {
    const { endsAt, untilMs } = replica.cooldown;
    const leftMs = Math.max(0, untilMs - this.#nowMs);
    this.#heard(replica, await replica.limiter.block("all", leftMs / 1_000, { endsAt }));
    replica.beatMs = this.#nowMs + (replica.cooldown.untilMs > this.#nowMs ? 500 : 5_000);
  }

  #heard(replica: Replica, reply: QuotaReply): void {
    this.questions++;
    const untilMs = this.#nowMs + reply.cooldown.leftMs;
    if (reply.cooldown.leftMs > 0 && untilMs >= replica.cooldown.untilMs) {
      replica.cooldown = { endsAt: reply.cooldown.endsAt, untilMs };
      replica.beatMs = Math.min(replica.beatMs, this.#nowMs + 500);
    }
    const { slotMs, catchUp } = this.#options.quota;
    if (reply.cold) this.#closedUntilMs = this.#nowMs + (catchUp + 2) * slotMs;
    const [incarnation, endsAt] = this.#endsAt;
    const ends = Number(reply.cooldown.endsAt);
    if (incarnation === reply.incarnation && ends < endsAt) this.#breach("a cool-down was shortened");
    this.#endsAt = [reply.incarnation, ends];
  }

  #newReplica(lanes: readonly Lane[], at: number): Replica {
    const name = `replica-${at}-${this.#generation++}`;
    const { redis: client, quota, scopeText } = this.#options;
    const testNowMs = (): number => this.#clockOffMs + this.#nowMs;
    return {
      limiter: new RedisLimiter({ client, quota, scopeText, replicaId: name, testNowMs }),
      lanes,
      wantedSinceMs: null,
      turnMs: { live: this.#nowMs, backfill: this.#nowMs },
      cooldown: { endsAt: "0", untilMs: 0 },
      beatMs: this.#nowMs,
    };
  }

  #at(index: number): Replica {
    const replica = this.#replicas[index % this.#replicas.length];
    if (replica === undefined) throw new RangeError("a walk needs at least one replica");
    return replica;
  }

  #breach(what: string): void {
    this.breaches.push({ what, atMs: this.#nowMs });
  }
}

const lanesOf = ({ lanes, wantedSinceMs }: Replica): readonly Lane[] =>
  wantedSinceMs === null ? lanes : ["live", ...lanes];
