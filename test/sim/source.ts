/** One process's consumer: the hand-off of src/source on the simulated broker, with its barrier, lease and pause flags. */
import { ConnectorError } from "../../src/domain/errors.ts";
import { partitionName, type TopicPartition } from "../../src/domain/record.ts";
import type { CommittedOffset, OffsetCommit, RecordSource, SourceHandlers } from "../../src/domain/stages.ts";
import { createLease, type Lease } from "../../src/source/lease.ts";
import { createOwnership, type PartitionsByTopic } from "../../src/source/ownership.ts";
import { type Broker, SESSION_MS } from "./broker.ts";
import type { Dice } from "./dice.ts";
import type { Faults } from "./faults.ts";
import type { Process } from "./time.ts";

const refused = (why: string): ConnectorError => new ConnectorError("COMMIT_REFUSED", why, { retriable: true });

export interface SourceDeps {
  readonly broker: Broker;
  readonly process: Process;
  readonly dice: Dice;
  readonly faults: () => Faults;
  readonly fetchMax: number;
}

export class SimSource implements RecordSource {
  readonly #deps: SourceDeps;
  readonly #ownership = createOwnership();
  readonly #lease: Lease;
  readonly #paused = new Set<string>();
  /** Null: from the stored offset. */
  readonly #positions = new Map<string, bigint | null>();
  #handlers: SourceHandlers | null = null;
  #state: "outside" | "barrier" | "joining" | "member" | "stopped" = "outside";
  #memberId: string | null = null;
  #generation = -1;
  /** Counts joins: what was fetched before is dropped. */
  #round = 0;
  #seeks = 0;
  #isPolling = false;
  #committing: Promise<void> | null = null;

  constructor(deps: SourceDeps) {
    this.#deps = deps;
    this.#lease = createLease(deps.process.clock, SESSION_MS);
    deps.broker.onAppended(() => this.#pollSoon());
  }

  get memberId(): string | null {
    return this.#memberId;
  }

  async start(handlers: SourceHandlers): Promise<void> {
    this.#handlers = handlers;
    void this.#join();
    void this.#heartbeats();
  }

  pause(partition: TopicPartition): void {
    if (this.#ownership.owns(partition)) this.#paused.add(partitionName(partition));
  }

  resume(partition: TopicPartition): void {
    if (!this.#ownership.owns(partition)) return;
    this.#paused.delete(partitionName(partition));
    this.#pollSoon();
  }

  seek(partition: TopicPartition, offset: bigint): void {
    if (!this.#ownership.owns(partition)) return;
    this.#seeks += 1;
    this.#positions.set(partitionName(partition), offset);
    this.#pollSoon();
  }

  async commit(offsets: readonly OffsetCommit[]): Promise<void> {
    if (this.#committing !== null) throw new Error("two commits at once");
    if (this.#state !== "member" && this.#state !== "barrier") throw refused("not a member");
    if (offsets.some((offset) => !this.#ownership.owns(offset))) throw refused("not ours");
    const { dice, faults, process, broker } = this.#deps;
    const [id, generation] = [this.#memberId ?? "", this.#generation];
    const storing = process.call(dice.between(1, 200), () => {
      if (dice.chance(faults().commitRefused)) throw refused("by chance");
      if (!broker.commit(id, generation, offsets)) throw refused("by the broker");
      if (dice.chance(faults().commitReplyLost)) throw refused("its reply was lost");
    });
    this.#committing = storing.catch(() => {});
    try {
      await storing;
    } finally {
      this.#committing = null;
    }
  }

  committed(partitions: readonly TopicPartition[]): Promise<readonly CommittedOffset[]> {
    return this.#ask(() =>
      partitions.map(({ topic, partition }) => {
        const stored = this.#deps.broker.stored({ topic, partition });
        return { topic, partition, offset: stored?.offset ?? null, metadata: stored?.metadata ?? null };
      }),
    );
  }

  endOffsets(topics: readonly string[]) {
    const { broker } = this.#deps;
    return this.#ask(() =>
      broker.partitions
        .filter(({ topic }) => topics.includes(topic))
        .map((partition) => ({ ...partition, low: 0n, high: broker.end(partition) })),
    );
  }

  async offsetsAt() {
    return [];
  }

  leaseLeftMs(): number {
    return this.#lease.leftMs();
  }

  async stop(): Promise<void> {
    this.#state = "stopped";
    this.#lease.revoke();
    const id = this.#memberId;
    if (id !== null) await this.#deps.process.call(20, () => this.#deps.broker.leave(id));
  }

  /** kafkajs leaves the group by itself, without a barrier, and comes back as somebody else. */
  crash(): void {
    if (this.#state !== "member") return;
    const id = this.#memberId;
    this.#stepOutside();
    if (id !== null) this.#deps.broker.leave(id);
    this.#deps.process.time.after(this.#deps.dice.between(300, 5_000), () =>
      this.#deps.process.deliver(() => void this.#join()),
    );
  }

  #stepOutside(): void {
    this.#state = "outside";
    this.#memberId = null;
    this.#round += 1;
    this.#lease.revoke();
  }

  #ask<T>(answer: () => T): Promise<T> {
    const { dice, faults, process } = this.#deps;
    return process.call(dice.between(1, 200), () => {
      if (dice.chance(faults().adminFails)) throw new ConnectorError("KAFKA", "no answer", { retriable: true });
      return answer();
    });
  }

  async #join(): Promise<void> {
    if (this.#state !== "outside" && this.#state !== "member" && this.#state !== "joining") return;
    const { broker, process, dice } = this.#deps;
    this.#state = "barrier";
    await this.#handlers?.beforeRejoin();
    if (this.#isStopped) return;
    this.#state = "joining";
    await this.#committing;
    await process.call(dice.between(1, 50), () => {
      const claims = this.#ownership.current();
      this.#memberId = broker.join(this.#memberId, claims, (generation, assignment) =>
        this.#assigned(generation, assignment),
      );
    });
  }

  get #isStopped(): boolean {
    return this.#state === "stopped";
  }

  #assigned(generation: number, assignment: PartitionsByTopic): void {
    const { process, dice, faults } = this.#deps;
    const sentMs = process.time.nowMs;
    const isLost = dice.chance(faults().syncLost);
    process.time.after(isLost ? dice.between(500, 5_000) : dice.between(1, 100), () =>
      process.deliver(() => {
        if (this.#state !== "joining") return;
        if (isLost) return void this.#join();
        this.#generation = generation;
        this.#state = "member";
        this.#round += 1;
        this.#lease.renew(process.time.nowMs - sentMs);
        const change = this.#ownership.joined(this.#memberId ?? "", assignment);
        this.#positions.clear(); // all of them are read again from the stored offset, as kafkajs does
        for (const partition of [...change.kept, ...change.gained]) this.#positions.set(partitionName(partition), null);
        this.#handlers?.onAssignment(change);
        this.#pollSoon();
      }),
    );
  }

  async #heartbeats(): Promise<void> {
    const { process, dice, broker } = this.#deps;
    while (!this.#isStopped) {
      await process.clock.sleep(1_000);
      if (this.#state !== "member") continue;
      const [id, generation, sentMs] = [this.#memberId ?? "", this.#generation, process.time.nowMs];
      const answer = await process.call(dice.between(1, 100), () => broker.heartbeat(id, generation));
      if (this.#state !== "member" || this.#memberId !== id || this.#generation !== generation) continue;
      if (answer === "unknown-member") this.#stepOutside();
      else this.#lease.renew(process.time.nowMs - sentMs);
      if (answer !== "ok") void this.#join();
    }
  }

  #pollSoon(): void {
    const { process, dice } = this.#deps;
    if (this.#isPolling || process.state === "dead") return;
    this.#isPolling = true;
    process.time.after(dice.between(1, 300), () =>
      process.deliver(() => {
        this.#isPolling = false;
        this.#poll();
      }),
    );
  }

  #poll(): void {
    const { broker, process, dice, fetchMax } = this.#deps;
    const [round, seeks] = [this.#round, this.#seeks];
    for (const [name, position] of this.#positions) {
      const partition = broker.partitions.find((other) => partitionName(other) === name);
      if (partition === undefined || this.#paused.has(name)) continue;
      const from = position ?? broker.stored(partition)?.offset ?? 0n;
      const records = broker
        .log(partition)
        .filter(({ offset }) => offset >= from)
        .slice(0, dice.between(1, fetchMax));
      const last = records.at(-1);
      if (last === undefined) continue;
      process.time.after(dice.between(1, 50), () =>
        process.deliver(() => {
          if (this.#round !== round || this.#seeks !== seeks || this.#positions.get(name) !== position) return;
          if (this.#state !== "member" && this.#state !== "barrier") return;
          this.#positions.set(name, last.offset + 1n);
          this.#handlers?.onRecords(partition, records, broker.end(partition), last.offset + 1n);
          this.#pollSoon();
        }),
      );
    }
  }
}
