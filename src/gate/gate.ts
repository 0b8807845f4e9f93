/**
 * Hands out permits, one call each, in order of asking within a lane, and tells the limiter what the server says.
 *
 * The gate is *open* while the limiter answers. When it does not, the gate is *closed*: nothing is granted, and every question
 * is asked again until an answer comes; unless this replica has a share of its own, with which it goes on. No permit leaves
 * before the cool-down known here ends, whatever the limiter says.
 */
import { ConnectorError } from "../domain/errors.ts";
import type { Lane } from "../domain/mutation.ts";
import type { Announced, Throttle } from "../domain/receipt.ts";
import type { Gate, GateState, Permit } from "../domain/stages.ts";
import type { Clock } from "../lib/clock.ts";
import type { RedisConnection } from "../lib/redis.ts";
import { Tasks } from "../lib/tasks.ts";
import type { Emit } from "../telemetry/events.ts";
import type { QuotaConfig } from "./config.ts";
import { Conversation, type ConversationParts } from "./conversation.ts";
import { DefaultWait } from "./default-wait.ts";
import { InsuredLimiter } from "./insured-limiter.ts";
import type { QuotaReply } from "./limiter.ts";
import { LocalLimiter } from "./local-limiter.ts";
import { LongWindows } from "./long-windows.ts";
import { permitsPerSecond, quotaOf, quotaText, shareProblem } from "./quota.ts";
import { quotaKeyPrefix, RedisLimiter } from "./redis-limiter.ts";
import { WaitingLine } from "./waiting-line.ts";

export interface GateOptions {
  readonly quota: QuotaConfig;
  /** Null: this process is the only one that uses the quota. */
  readonly redis: RedisConnection | null;
  /** Names what shares the quota: the account, or the account and the token. Only a hash of it leaves the process. */
  readonly scopeText: string;
  /** Unique among living replicas. */
  readonly replicaId: string;
  readonly clock: Clock;
  readonly emit: Emit;
}

/** Never waits and never throws for a Redis that is away: such a gate is closed until Redis answers. */
export const createGate = ({ quota: config, redis, scopeText, replicaId, clock, emit }: GateOptions): QuotaGate => {
  const quota = quotaOf(config);
  const long = new LongWindows(quota.counted, redis?.client ?? null, quotaKeyPrefix(scopeText));
  const parts = { config, redis, long, clock, emit };
  if (redis === null) return new QuotaGate({ ...parts, limiter: new LocalLimiter(quota, clock) });
  const shared = new RedisLimiter({ client: redis.client, quota, scopeText, replicaId });
  const { outage, share } = config;
  const limiter = outage === "stop" ? shared : new InsuredLimiter({ redis: shared, quota, share, clock });
  return new QuotaGate({ ...parts, limiter });
};

interface Parts extends Pick<ConversationParts, "limiter" | "redis" | "clock" | "emit"> {
  readonly config: QuotaConfig;
  readonly long: LongWindows;
}

export class QuotaGate implements Gate {
  readonly #parts: Parts;
  readonly #limiter: Conversation;
  readonly #lines: Readonly<Record<Lane, WaitingLine>>;
  readonly #tasks = new Tasks(() => {});
  readonly #defaultWait: DefaultWait;
  #config: QuotaConfig;

  constructor(parts: Parts) {
    const { clock, emit, config } = parts;
    this.#parts = parts;
    this.#config = config;
    this.#defaultWait = new DefaultWait(config.cooldown.defaultMs);
    const onFirstAnswer = (replicas: number): void => this.#checkShare(replicas);
    this.#limiter = new Conversation({ ...parts, onFirstAnswer, alarmMs: () => this.#config.cooldown.alarmMs });
    const coolUntilMs = (): number => this.#limiter.cooldown.deadlineMs;
    const line = (lane: Lane): WaitingLine =>
      new WaitingLine(lane, { clock, emit, coolUntilMs, ask: (...asked) => this.#consume(...asked) });
    this.#lines = { live: line("live"), backfill: line("backfill") };
  }

  async acquire(lane: Lane, signal: AbortSignal): Promise<Permit> {
    return this.#lines[lane].acquire(signal);
  }

  async tell(throttle: Throttle, permit: Permit): Promise<void> {
    const { hintMs, source } = throttle;
    const nowMs = this.#parts.clock.monotonicMs();
    this.#limiter.unsaid.refused(throttle, permit, nowMs);
    const waitMs = hintMs !== null && hintMs > 0 ? hintMs : this.#defaultWait.nextMs(nowMs);
    await this.#limiter.impose(waitMs + this.#config.cooldown.afterMs, source);
  }

  see(announced: Announced, permit: Permit): void {
    if (this.#config.headers.mode === "off") return;
    this.#limiter.unsaid.seen(announced, permit, this.#parts.clock.monotonicMs());
  }

  async adopt(cooldownLeftMs: number): Promise<void> {
    if (cooldownLeftMs > 0) await this.#limiter.impose(cooldownLeftMs, "commit");
  }

  /**
   * Other limits, from the next question on. Where replicas differ, the lower ones hold until all have taken the new ones.
   * `scope`, `outage` and `share` stay as they were at the start.
   */
  adjust(config: QuotaConfig): void {
    const [before, after] = [quotaOf(this.#config), quotaOf(config)];
    this.#config = config;
    this.#parts.limiter.adjust(after);
    this.#parts.long.adjust(after.counted);
    this.#parts.emit("quota-changed", { from: quotaText(before), to: quotaText(after) });
    this.#tasks.own(this.#limiter.repeat());
  }

  cooldownLeftMs(): number {
    return this.#limiter.cooldown.leftMs();
  }

  async peek(): Promise<GateState> {
    const { limiter, long } = this.#parts;
    const quota = quotaOf(this.#config);
    const state = await limiter.get("all").catch(() => null);
    const { used, ...look } = state?.look ?? unseen(quota.slotMs, this.#limiter.replicas);
    const windows = quota.windows.map(({ limit, perMs }, at) => ({ limit, perMs, used: used[at] ?? 0 }));
    return {
      ...look,
      mode: state === null ? "closed" : this.#limiter.mode,
      windows: [...windows, ...(await long.used())],
      guardMs: Math.max(0, ...quota.windows.map(({ spanMs, perMs }) => spanMs - perMs)),
      cooldownLeftMs: Math.max(this.cooldownLeftMs(), look.cooldownLeftMs),
      permitsPerSecond: permitsPerSecond(quota, look.slotMs),
    };
  }

  /** Whoever still waits is rejected. */
  async close(): Promise<void> {
    await this.#closeWith(gateClosed());
  }

  async #closeWith(reason: Error): Promise<void> {
    const { live, backfill } = this.#lines;
    await Promise.all([live.close(reason), backfill.close(reason), this.#limiter.close(), this.#tasks.ended()]);
  }

  async #consume(lane: Lane, more: boolean): Promise<QuotaReply | null> {
    const reply = await this.#limiter.consume(lane, more);
    if (reply?.granted) this.#tasks.own(this.#count());
    return reply;
  }

  /** Towards the long windows. While Redis is away nothing is counted: what is granted then is little. */
  async #count(): Promise<void> {
    const spent = await this.#parts.long.count();
    if (spent === null) return;
    if (this.cooldownLeftMs() < spent.waitMs) this.#parts.emit("window-spent", spent);
    await this.#limiter.impose(spent.waitMs, "window");
  }

  /** The replica that is one too many for the arithmetic of the outage does not start. */
  #checkShare(replicas: number): void {
    const { outage, share } = this.#config;
    if (this.#parts.redis === null || outage === "stop") return;
    const problem = shareProblem(quotaOf(this.#config), { share, replicas });
    if (problem === null) return;
    const error = new ConnectorError("OUTAGE_SHARE", `quota.outage: local-share: ${problem}`, { retriable: false });
    void this.#closeWith(error);
  }
}

/** Of a limiter that does not answer. */
const unseen = (slotMs: number, replicas: number) => ({
  ...{ cooldownLeftMs: 0, cooldownTotalMs: 0, slotMs, share: 1, announced: null, replicas, lostTurns: 0 },
  ...{ incidents: [], used: [] },
});

const gateClosed = (): ConnectorError =>
  new ConnectorError("GATE_CLOSED", "the quota gate is closed because the connector stops", { retriable: false });
