/** The lag as a table and one sentence, for people. */
import type { ProcessSample } from "../lag/ask-process.ts";
import type { Lag, LagReport } from "../lag/sample.ts";
import { countText, durationText, rateText } from "../lib/numbers.ts";
import { printable } from "../telemetry/text.ts";
import { tableText } from "./table.ts";
import { styled, type Terminal } from "./terminal.ts";

/** Partitions beyond these are only counted in the total. */
const ROWS_MAX = 200;
const HEAD = ["Topic", "Partition", "Records", "Age", "Worked off", "Arrived", "Drained in", "Waits for"];

/** Partitions with nothing to do are dim; why others wait is a column only where one does. */
export const lagAsTable = ({ partitions, total }: LagReport, terminal: Terminal): string => {
  const columns = partitions.some(({ paused }) => paused !== null) ? HEAD.length : HEAD.length - 1;
  const row = (style: "bold" | "dim" | null, texts: readonly string[]): readonly string[] =>
    texts.slice(0, columns).map((text) => (style === null ? text : styled(terminal, style, text)));
  // Whoever is furthest behind is what this was asked for.
  const shown = partitions.length > ROWS_MAX ? furthest(partitions) : partitions;
  const rows = shown.map((lag) => {
    const texts = [printable(lag.topic), String(lag.partition), ...cells(lag), printable(lag.paused ?? "")];
    return row(lag.records === 0 ? "dim" : null, texts);
  });
  rows.push(row("bold", ["all", String(partitions.length), ...cells(total), ""]));
  const left = partitions.length - shown.length;
  const table = tableText({ head: HEAD.slice(0, columns), rows, aligned: ALIGNED }, terminal);
  return `${table}\n${left > 0 ? `${left} more partitions are not shown; --json has them all\n` : ""}`;
};

const ALIGNED = ["left", "right", "right", "right", "right", "right", "right", "left"] as const;

const furthest = (partitions: readonly Lag[]): readonly Lag[] =>
  [...partitions].sort((a, b) => (b.records ?? 0) - (a.records ?? 0)).slice(0, ROWS_MAX);

const cells = ({ records, ageS, workedPerS, arrivedPerS, drainS }: LagReport["total"]): readonly string[] => [
  countText(records),
  durationText(ageS),
  rateText(workedPerS),
  rateText(arrivedPerS),
  // Where nothing was worked off, the two looks may have been too close together to tell.
  drainS === null && (workedPerS ?? 0) > 0 ? "never" : durationText(drainS),
];

/** What the running process adds: why it may not be faster. */
export const paceOf = ({ halted, cooldownLeftS, permitsPerSecond }: ProcessSample): string => {
  if (halted) return "Requests are stopped: a credential or a setting was refused; see the log.";
  const pace = `The quota permits ${(permitsPerSecond * 60).toFixed(0)} calls a minute`;
  return cooldownLeftS > 0
    ? `${pace}; Sell wants nobody to call for another ${durationText(cooldownLeftS)}.`
    : `${pace}.`;
};
