/** Versions are remembered for hours only: positions that start lower after a fail-over or restore must not drop changes for ever. */
import type { Remembered } from "../domain/stages.ts";

const VERSION_MAX_AGE_MS = 24 * 3_600_000;

export const withoutOldVersion = (remembered: Remembered, nowMs: number): Remembered =>
  remembered.version !== null && nowMs - remembered.acceptedAtMs > VERSION_MAX_AGE_MS
    ? { ...remembered, version: null }
    : remembered;
