/**
 * Replicas that share a quota, walked through virtual time over the real scripts in a real Redis: only the clock is ours, so
 * an hour takes a second and a failing walk can be replayed and shrunk.
 *
 * A replica does here what the gate does: it waits in each lane for the turn it was promised, repeats the cool-down it knows
 * with every question and by beats, and uses no permit before that cool-down ends.
 */
import type { Lane } from "../../src/domain/mutation.ts";
import { InsuredLimiter } from "../../src/gate/insured-limiter.ts";
import {
  type Ask,
  answered,
  LOCAL,
  type News,
  QuotaLimiter,
  type QuotaReply,
  type QuotaState,
  type Seen,
} from "../../src/gate/limiter.ts";
import { LocalLimiter } from "../../src/gate/local-limiter.ts";
import type { Quota } from "../../src/gate/quota.ts";
import { quotaKeyPrefix, RedisLimiter } from "../../src/gate/redis-limiter.ts";
import type { Clock } from "../../src/lib/clock.ts";
import type { RedisClient } from "../../src/lib/redis-client.ts";

/** Everything a walk can do; times in milliseconds. */
export type Step =
  | { readonly do: "run"; readonly ms: number }
  /** One live call, of a replica without a live backlog. */
  | { readonly do: "want"; readonly replica: number }
  /** A 429 in answer to the replica's last call. */
  | { readonly do: "tell"; readonly replica: number; readonly hintMs: number }
  /** What headers announced in answer to it, true or not. */
  | ({ readonly do: "see"; readonly replica: number } & Pick<Seen, "limit" | "remaining" | "resetMs">)
  /** Another limit, taken up by one replica in mid-run. */
  | { readonly do: "adjust"; readonly replica: number; readonly quota: Quota }
  /** Redis answers nobody. */
  | { readonly do: "away"; readonly ms: number }
  /** Dies holding its turns; its successor knows the cool-down from the offsets it committed. */
  | { readonly do: "crash"; readonly replica: number }
  | { readonly do: "lose-state" }
  | { readonly do: "clock-back"; readonly ms: number }
  | { readonly do: "clock-forward"; readonly ms: number };

interface Replica {
  readonly limiter: QuotaLimiter;
  readonly lanes: readonly Lane[];
  readonly turnMs: Record<Lane, number>;
  wantedSinceMs: number | null;
  cooldown: { endsAt: string; untilMs: number };
  refused: { readonly hintMs: number; readonly grantedMs: number } | null;
  seen: { readonly seen: Omit<Seen, "grantedAgoMs">; readonly atMs: number; readonly grantedMs: number } | null;
  lastGrantMs: number;
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
  readonly redis: RedisClient;
  readonly scopeText: string;
  readonly quota: Quota;
  /** The lanes in which each replica has an endless backlog. */
  readonly lanes: readonly (readonly Lane[])[];
  /** How late replica 0 comes to each of its turns. */
  readonly lateMs?: number;
  /** Part of the quota that replicas divide among themselves while Redis is away; absent: they wait. */
  readonly share?: number;
  /** What the server says to each call, if anything: its headers. */
  readonly server?: (grants: readonly Grant[], nowMs: number) => Pick<Seen, "limit" | "remaining" | "resetMs">;
  readonly testLua?: (text: string) => string;
  /** One replica without Redis. */
  readonly isLocal?: boolean;
}

/** Time from a grant to the answer of its call. */
const ANSWER_MS = 120;
/** Where no answer came. */
const PROBE_MS = 250;
const START_MS = 1_700_000_000_000;

export class GateWalk {
  readonly grants: Grant[] = [];
  readonly breaches: Breach[] = [];
  /** How long each single live call waited. */
  readonly waitsMs: number[] = [];
  /** How long each reason held a replica back, as promised by the answers; milliseconds. */
  readonly heldMs = new Map<string, number>();
  questions = 0;
  incidents = 0;
  readonly #options: WalkOptions;
  readonly #replicas: Replica[];
  #nowMs = 0;
  #clockOffMs = START_MS;
  #generation = 0;
  #awayUntilMs = 0;
  /** The latest end that any server answer announced. */
  #announcedMs = 0;
  #closedUntilMs = 0;
  #endsAt: readonly [incarnation: string, endsAt: number] = ["", 0];

  constructor(options: WalkOptions) {
    this.#options = options;
    this.#replicas = options.lanes.map((lanes, at) => this.#newReplica(lanes, at));
  }

  get keyPrefix(): string {
    return quotaKeyPrefix(this.#options.scopeText);
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  async look(): Promise<QuotaState["look"]> {
    return (await this.#at(0).limiter.get("all")).look;
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
        replica.refused ??= { hintMs: step.hintMs, grantedMs: replica.lastGrantMs };
        return this.#beat(replica);
      }
      case "see": {
        const replica = this.#at(step.replica);
        const { limit, remaining, resetMs } = step;
        replica.seen = { seen: { limit, remaining, resetMs }, atMs: this.#nowMs, grantedMs: replica.lastGrantMs };
        return;
      }
      case "adjust":
        this.#at(step.replica).limiter.adjust(step.quota);
        return this.#beat(this.#at(step.replica));
      case "away":
        this.#awayUntilMs = this.#nowMs + step.ms;
        return this.#run(step.ms);
      case "crash": {
        const at = step.replica % this.#replicas.length;
        const dead = this.#at(at);
        const successor = this.#newReplica(dead.lanes, at);
        successor.cooldown = { endsAt: "0", untilMs: dead.cooldown.untilMs };
        this.#replicas[at] = successor;
        return;
      }
      case "lose-state":
        await redis.del(["s", "r", "t0", "t1", "m", "i"].map((part) => `${this.keyPrefix}:${part}`));
        // What comes is another memory, although the same replica may begin it while virtual time stands still: then the names
        // of both, made of replica and time, are the same.
        this.#endsAt = ["", 0];
        return;
      case "clock-back":
        this.#clockOffMs -= step.ms;
        return;
      case "clock-forward":
        this.#clockOffMs += step.ms;
        this.#closedUntilMs -= step.ms; // the scripts count by that clock
    }
  }

  /** Most grants in any window of `ms`; times are sums of fractions, so a nanosecond is no time. */
  fullest(ms: number): number {
    let first = 0;
    return this.grants.reduce((most, { atMs }, last) => {
      while (atMs - (this.grants[first]?.atMs ?? 0) >= ms - 1e-6) first++;
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
    const more = replica.lanes.includes(lane);
    const reply = await this.#answer(replica, (news) => replica.limiter.consume(lane, 1, { more, news }));
    replica.turnMs[lane] = this.#nowMs + Math.max(1, reply?.msBeforeNext ?? PROBE_MS);
    const reason = reply?.heldBy;
    if (reason) this.heldMs.set(reason, (this.heldMs.get(reason) ?? 0) + reply.msBeforeNext);
    if (!reply?.granted) return;
    if (this.#nowMs < this.#announcedMs) this.#breach("a grant inside a cool-down");
    if (this.#nowMs < this.#closedUntilMs) this.#breach("a grant right after the state was lost");
    if (!more && replica.wantedSinceMs !== null) {
      this.waitsMs.push(this.#nowMs - replica.wantedSinceMs);
      replica.wantedSinceMs = null;
    }
    this.grants.push({ atMs: this.#nowMs, lane, replica: at });
    replica.lastGrantMs = this.#nowMs;
    const { server } = this.#options;
    if (server === undefined) return;
    replica.seen = {
      ...{ seen: server(this.grants, this.#nowMs), grantedMs: this.#nowMs },
      atMs: this.#nowMs + ANSWER_MS,
    };
  }

  async #beat(replica: Replica): Promise<void> {
    const tell = (news: News) => replica.limiter.block("all", news.cooldown.leftMs / 1_000, news);
    const reply = await this.#answer(replica, tell);
    const quietMs = 5_000 - (this.#nowMs % 5_000);
    const openMs = reply?.msBeforeNext || (replica.cooldown.untilMs > this.#nowMs ? 500 : quietMs);
    replica.beatMs = this.#nowMs + (reply === null ? PROBE_MS : openMs);
  }

  /** Asks with all that the replica has to tell, as the gate does. */
  async #answer(replica: Replica, question: (news: News) => Promise<QuotaReply>): Promise<QuotaReply | null> {
    const { refused, seen, cooldown } = replica;
    const nowMs = this.#nowMs;
    const arrived = seen !== null && seen.atMs <= nowMs ? seen : null;
    const news: News = {
      cooldown: { endsAt: cooldown.endsAt, leftMs: Math.max(0, cooldown.untilMs - nowMs) },
      refused: refused && { ...refused, source: "body", grantedAgoMs: nowMs - refused.grantedMs },
      seen: arrived && {
        ...arrived.seen,
        resetMs: arrived.seen.resetMs && arrived.seen.resetMs - (nowMs - arrived.atMs),
        grantedAgoMs: nowMs - arrived.grantedMs,
      },
    };
    this.questions++;
    const reply = await answered(question(news)).catch((error: unknown) => {
      if (nowMs < this.#awayUntilMs) return null;
      throw error;
    });
    if (reply === null) return null;
    if (reply.incarnation === LOCAL && !this.#options.isLocal)
      replica.beatMs = Math.min(replica.beatMs, nowMs + PROBE_MS);
    else {
      replica.refused = null;
      if (arrived !== null) replica.seen = null;
      this.#heard(replica, reply);
    }
    return reply;
  }

  #heard(replica: Replica, reply: QuotaReply): void {
    const untilMs = this.#nowMs + reply.cooldown.leftMs;
    if (reply.cooldown.leftMs > 0 && untilMs >= replica.cooldown.untilMs) {
      replica.cooldown = { endsAt: reply.cooldown.endsAt, untilMs };
      replica.beatMs = Math.min(replica.beatMs, this.#nowMs + 500);
    }
    if (reply.incident !== null) this.incidents++;
    const { slotMs, catchUp } = this.#options.quota;
    if (reply.cold) this.#closedUntilMs = this.#nowMs + (catchUp + 2) * slotMs;
    const [incarnation, endsAt] = this.#endsAt;
    const ends = Number(reply.cooldown.endsAt);
    if (incarnation === reply.incarnation && ends < endsAt) this.#breach("a cool-down was shortened");
    this.#endsAt = [reply.incarnation, ends];
  }

  #newReplica(lanes: readonly Lane[], at: number): Replica {
    const name = `replica-${at}-${this.#generation++}`;
    return {
      limiter: this.#newLimiter(name),
      lanes,
      wantedSinceMs: null,
      turnMs: { live: this.#nowMs, backfill: this.#nowMs },
      cooldown: { endsAt: "0", untilMs: 0 },
      refused: null,
      seen: null,
      lastGrantMs: this.#nowMs,
      beatMs: this.#nowMs,
    };
  }

  #newLimiter(replicaId: string): QuotaLimiter {
    const { redis: client, quota, scopeText, share, testLua, isLocal } = this.#options;
    const testNowMs = (): number => this.#clockOffMs + this.#nowMs;
    const clock: Clock = { now: testNowMs, monotonicMs: () => this.#nowMs, sleep: async () => {} };
    const patch = testLua === undefined ? {} : { testLua };
    const shared = new RedisLimiter({ client, quota, scopeText, replicaId, testNowMs, ...patch });
    if (isLocal) return new LocalLimiter(quota, clock);
    const redis = new Reachable(shared, () => this.#nowMs >= this.#awayUntilMs);
    return share === undefined ? redis : new InsuredLimiter({ redis, quota, share, clock });
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

/** Fails while Redis is away, at once. */
class Reachable extends QuotaLimiter {
  readonly #limiter: QuotaLimiter;
  readonly #isThere: () => boolean;

  constructor(limiter: QuotaLimiter, isThere: () => boolean) {
    super();
    this.#limiter = limiter;
    this.#isThere = isThere;
  }

  override async consume(lane: Lane, points: 1, ask: Ask): Promise<QuotaReply> {
    this.#check();
    return this.#limiter.consume(lane, points, ask);
  }

  override async block(key: "all", seconds: number, news: News): Promise<QuotaReply> {
    this.#check();
    return this.#limiter.block(key, seconds, news);
  }

  override async get(key: "all"): Promise<QuotaState> {
    this.#check();
    return this.#limiter.get(key);
  }

  override adjust(quota: Quota): void {
    this.#limiter.adjust(quota);
  }

  #check(): void {
    if (!this.#isThere()) throw new Error("Redis is away");
  }
}
