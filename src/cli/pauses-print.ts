/** Pauses as people read them. */
import type { PauseSnapshot } from "../telemetry/snapshot.ts";
import { printable } from "../telemetry/text.ts";

export const pauseAsLine = ({ route, topic, who, why, sinceMs }: PauseSnapshot): string =>
  `Route "${printable(route)}" (${topic}) is paused by ${printable(who)}${sinceText(sinceMs)}: ${printable(why)}\n`;

/** ` since 2026-11-26T08:00:00Z`; nothing where it is not known. */
const sinceText = (sinceMs: number | null): string =>
  sinceMs === null ? "" : ` since ${new Date(sinceMs).toISOString().replace(/\.\d+Z$/, "Z")}`;
