/** What the replicas share: the quota with its cool-downs, and what is remembered of Sell's records. Both may fail or forget. */
import type { Throttle } from "../../src/domain/receipt.ts";
import type { EntityId, EntityStore, Gate, Remembered } from "../../src/domain/stages.ts";
import { aGateState } from "../support/gate-state.ts";
import type { Dice } from "./dice.ts";
import { keyOf } from "./erp.ts";
import type { Process, Time } from "./time.ts";

export class Redis {
  isDown = false;
  readonly #time: Time;
  readonly #dice: Dice;
  readonly #memory = new Map<string, Remembered>();
  readonly #writes: { readonly atMs: number; readonly key: string; readonly memory: Remembered }[] = [];
  readonly #spacingMs: number;
  #nextPermitMs = 0;
  #cooldownUntilMs = 0;

  constructor(time: Time, dice: Dice) {
    this.#time = time;
    this.#dice = dice;
    this.#spacingMs = dice.pick([10, 100, 300]);
  }

  forget(): void {
    this.#memory.clear();
    this.#writes.length = 0;
  }

  /** A replica that lags takes over: the last writes are gone, what was overwritten is back, and it is another incarnation. */
  failOver(lagMs: number): void {
    const kept = this.#writes.filter(({ atMs }) => atMs < this.#time.nowMs - lagMs);
    this.#writes.splice(0, this.#writes.length, ...kept);
    this.#memory.clear();
    for (const { key, memory } of kept) this.#memory.set(key, memory);
    this.#voidAll();
  }

  gate(process: Process): Gate {
    const { clock } = process;
    const tell = async ({ hintMs }: Throttle): Promise<void> => {
      this.#cooldownUntilMs = Math.max(this.#cooldownUntilMs, this.#time.nowMs + (hintMs ?? 5_000));
      await process.call(this.#dice.between(1, 20), () => {});
    };
    return {
      acquire: async (lane, signal) => {
        for (;;) {
          const now = this.#time.nowMs;
          const waitMs = this.isDown ? 500 : Math.max(this.#nextPermitMs, this.#cooldownUntilMs) - now;
          if (waitMs <= 0) {
            this.#nextPermitMs = now + this.#spacingMs;
            return { lane, grantedAtMs: now };
          }
          await clock.sleep(waitMs, signal);
        }
      },
      tell,
      adopt: async (leftMs) => tell({ hintMs: leftMs, source: "mark" }),
      see: () => {},
      peek: async () => aGateState(),
      cooldownLeftMs: () => Math.max(0, this.#cooldownUntilMs - this.#time.nowMs),
      close: async () => {},
    };
  }

  store(process: Process): EntityStore {
    const { clock } = process;
    const ms = (): number => this.#dice.pick([1, 5, 50, 400]);
    return {
      recall: (ids) =>
        process.call(ms(), () => ids.map((id) => (this.isDown ? null : (this.#memory.get(keyOf(id)) ?? null)))),
      remember: async (entries, signal) => {
        if (entries.length === 0) return;
        for (let hasFailed = false; ; hasFailed = true) {
          if (await process.call(ms(), () => this.#write(entries, hasFailed))) return;
          await clock.sleep(500, signal);
        }
      },
      close: async () => {},
    };
  }

  /** After a failed write everything older is void but the ids. */
  #write(entries: readonly (readonly [EntityId, Remembered])[], isNewEpoch: boolean): boolean {
    if (this.isDown) return false;
    if (isNewEpoch) this.#voidAll();
    for (const [id, memory] of entries) {
      this.#memory.set(keyOf(id), memory);
      this.#writes.push({ atMs: this.#time.nowMs, key: keyOf(id), memory });
    }
    return true;
  }

  #voidAll(): void {
    for (const [key, memory] of this.#memory) this.#memory.set(key, { ...memory, fingerprint: null, deleted: false });
  }
}
