/**
 * A replica made of what the status page reads: a snapshot and counts that a test sets, its clock turned by hand, and the real
 * admin server over HTTP.
 */
import { type Admin, startAdmin } from "../../src/admin/server.ts";
import { Status } from "../../src/admin/status.ts";
import type { Entity } from "../../src/domain/mutation.ts";
import { createLogger } from "../../src/telemetry/logger.ts";
import { createRegistry } from "../../src/telemetry/metrics.ts";
import { observe } from "../../src/telemetry/observe.ts";
import type { PartitionSnapshot, Snapshot } from "../../src/telemetry/snapshot.ts";
import { FakeClock } from "./fake-clock.ts";
import { aGateState } from "./gate-state.ts";

export const aPartition = (overrides: Partial<PartitionSnapshot> = {}): PartitionSnapshot => ({
  topic: "erp.sales.orders",
  partition: 0,
  endOffset: 1_000,
  lag: 0,
  oldestPendingAgeS: { live: 0, backfill: 0 },
  lastCommitS: null,
  paused: null,
  ...overrides,
});

export const aSnapshot = (overrides: Partial<Snapshot> = {}): Snapshot => ({
  atMs: 1_700_001_000_000,
  partitions: [aPartition()],
  gate: aGateState({ windows: [{ limit: 200, perMs: 60_000, used: 50 }], permitsPerSecond: 200 / 60, replicas: 2 }),
  halted: false,
  holdup: null,
  pauses: [],
  isMember: true,
  maxItems: 50,
  parked: new Map<Entity, number>([["deals", 0]]),
  windowRecords: 0,
  windowBytes: 0,
  ...overrides,
});

const EVERY_MS = 10_000;

export class StatusWorld {
  readonly clock = new FakeClock();
  readonly registry = createRegistry("erp-to-sell", "1.2.3");
  readonly emit = observe({ logger: createLogger({ level: "silent", fields: {} }), registry: this.registry });
  snapshot: Snapshot | null = aSnapshot();
  notReady: string | null = null;
  look: () => Promise<Snapshot | null> = async () => this.snapshot;
  readonly status = new Status({
    ...{ clock: this.clock, registry: this.registry, groupId: "erp-to-sell", version: "1.2.3", replica: "sell-sink-0" },
    snapshot: () => this.look(),
    notReady: () => this.notReady,
  });

  /** One call to Sell was answered so. */
  call(code: string, items = 50): void {
    const names = { batchId: "b", requestId: "r" };
    this.emit("request-done", { ...names, verb: "upsert", entity: "deals", items, code, tookMs: 300 });
  }

  /** Ten seconds later the next look is taken. */
  async looks(snapshot: Snapshot): Promise<void> {
    this.snapshot = snapshot;
    this.clock.advance(EVERY_MS);
    await this.status.look();
  }

  serve(): Promise<Admin> {
    const well = { ok: true } as const;
    return startAdmin(
      { port: 0, host: "127.0.0.1" },
      {
        health: () => ({ live: well, started: well, ready: well }),
        scrape: async () => ({ contentType: this.registry.contentType, text: await this.registry.metrics() }),
        snapshot: async () => this.snapshot,
        quota: async () => null,
        status: (span) => this.status.page(span),
        groupId: "erp-to-sell",
      },
    );
  }
}
