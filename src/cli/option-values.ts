/** Values of options as people write them. */
import { InvalidArgumentError } from "commander";
import { systemClock } from "../lib/clock.ts";

/** Of a date, or of how long ago: milliseconds since 1970. Throws commander's InvalidArgumentError. */
export const timeOption = (text: string): number => {
  const [, number, unit] = /^(\d{1,6})([mhd])$/.exec(text) ?? [];
  if (number !== undefined && unit !== undefined)
    return systemClock.now() - Number(number) * UNITS_MS[unit as keyof typeof UNITS_MS];
  const ms = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(ms)) throw new InvalidArgumentError("It must be a date like 2026-11-26T08:00Z, or 90m, 24h, 7d.");
  return ms;
};

const UNITS_MS = { m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** Of an option that may be repeated: all of them, in order. */
export const gathered = (text: string, before: readonly string[] = []): readonly string[] => [...before, text];
