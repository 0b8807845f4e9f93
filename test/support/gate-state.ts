/** A gate that nothing weighs on, for tests that only need one to look at. */
import type { GateState } from "../../src/domain/stages.ts";

export const aGateState = (state: Partial<GateState> = {}): GateState => ({
  mode: "redis",
  windows: [],
  guardMs: 0,
  cooldownLeftMs: 0,
  cooldownTotalMs: 0,
  permitsPerSecond: 1,
  slotMs: 1_000,
  share: 1,
  announced: null,
  replicas: 1,
  lostTurns: 0,
  incidents: [],
  ...state,
});
