/** What a resync came to, for people and for programs. */
import type { Config } from "../config/spec.ts";
import { replayTopicOf } from "../dead-letter/letter.ts";
import { countText, durationText } from "../lib/numbers.ts";
import { callsMs } from "../plan/pace.ts";
import type { Checkpoint } from "../resync/checkpoint.ts";
import type { Resynced } from "../resync/resync.ts";
import type { Selection } from "../resync/selection.ts";
import { styled, type Terminal } from "./terminal.ts";

export interface Pass {
  readonly start: Checkpoint;
  readonly isResumed: boolean;
  readonly isDry: boolean;
  readonly selection: Selection;
  readonly config: Config;
  readonly result: Resynced;
  /** How long the replay topic keeps records, milliseconds; null: for ever, or this user may not ask. */
  readonly keptMs: number | null;
}

const HOUR_MS = 3_600_000;
const NAMED_MAX = 20;

/** `quotaS`: seconds of the whole quota that the calls take; live changes come first and make it longer. */
export const passAsJson = ({ start, isResumed, isDry, selection, config, result }: Pass): string => {
  const { tally, records, unreadable, sent, missing } = result;
  const { keys, written, partial, leftAlone, calls } = tally;
  const quotaS = Math.round(callsMs(config, calls) / 1_000);
  const what = { id: start.id, dryRun: isDry, resumed: isResumed, topic: selection.topic, route: selection.route };
  return `${JSON.stringify({ ...what, records, unreadable, keys, written, partial, leftAlone, sent, missing, calls, quotaS })}\n`;
};

export const passAsText = (
  { isDry, selection, config, isResumed, result, keptMs }: Pass,
  terminal: Terminal,
): string => {
  const { tally, records, unreadable, sent, missing } = result;
  const { keys, written, partial, leftAlone, calls } = tally;
  const ms = callsMs(config, calls);
  const alone = Object.entries(leftAlone).map(([reason, count]) => `${reason} ${countText(count)}`);
  const bold = (text: string): string => styled(terminal, "bold", text);
  const lines = [
    `${bold(countText(records))} records read, ${countText(keys)} keys of ${selection.route ?? selection.topic}.`,
    `${bold(countText(written))} ${isDry ? "would be" : "will be"} written again by at most ${countText(calls)} calls: ${durationText(ms / 1_000)} of the whole quota, or ${Math.ceil((ms / HOUR_MS) * 100)} % of an hour of it. Live changes go first.`,
  ];
  if (!isDry) lines.push(`${countText(sent)} records are sent; the running replicas write them.`);
  if (keptMs !== null && ms > keptMs) {
    const [topic, kept] = [replayTopicOf(config.deadLetter.topic), durationText(keptMs / 1_000)];
    lines.push(`${topic} keeps records for ${kept} only (retention.ms): raise that, or Kafka deletes some unwritten.`);
  }
  if (partial > 0)
    lines.push(
      `${countText(partial)} of them end with a partial record: the columns that it leaves out are not repaired.`,
    );
  if (alone.length > 0)
    lines.push(`Left alone, since the routes write nothing for the newest record: ${alone.join(", ")}.`);
  if (unreadable > 0) lines.push(`${countText(unreadable)} records cannot be read, whatever their keys are.`);
  if (missing.length > 0 && !isResumed) {
    const more = missing.length > NAMED_MAX ? ` and ${countText(missing.length - NAMED_MAX)} more` : "";
    lines.push(`Not found: ${missing.slice(0, NAMED_MAX).join(", ")}${more}.`);
  }
  return `${lines.join("\n")}\n`;
};
