/** The result as a table and one last line, for people. */
import Table from "cli-table3";
import type { PenaltyWait } from "./measure.ts";
import { ITEMS_PER_CALL, QUOTA } from "./options.ts";
import { problemsOf, type Result } from "./verdict.ts";

export type Paint = (style: "bold" | "dim" | "green" | "red", text: string) => string;

const PROBLEMS_MAX = 10;

export const report = (result: Result, paint: Paint): string => {
  const table = new Table({ chars: NO_LINES_BETWEEN, style: { head: [], border: [] } });
  table.push(...rows(result).map(([name, value]) => [paint("bold", name), value]));
  const problems = problemsOf(result);
  const told = problems.slice(0, PROBLEMS_MAX).map((problem) => paint("red", `  ${problem}`));
  const left = problems.length - told.length;
  return [
    table.toString(),
    paint("dim", SOURCES),
    ...told,
    ...(left > 0 ? [paint("red", `  and ${count(left)} more`)] : []),
    "",
    lastLine(result, paint),
    "",
  ].join("\n");
};

const NO_LINES_BETWEEN = { mid: "", "left-mid": "", "mid-mid": "", "right-mid": "" };

const SOURCES =
  "All of it is read back from Sell's own log and records and from Kafka, not from the connector's counters.\n" +
  "ERP to Sell: from a change's commit in the ERP to the first write in Sell that carries it or a newer one.";

type TableRow = readonly [name: string, value: string];

const rows = (result: Result): readonly TableRow[] => {
  const { traffic, penalty, deadLetters, options, lag } = result;
  const { latency } = traffic;
  return [
    [
      "ERP changes",
      `${count(traffic.changes)}: ${count(traffic.inserts)} inserts, ${count(traffic.updates)} updates, ${count(traffic.deletes)} deletes`,
    ],
    ["Needed no write", unneeded(result)],
    [
      "Written to Sell",
      `${count(traffic.writes)} records, ${traffic.duplicates === 0 ? "none" : count(traffic.duplicates)} of them twice`,
    ],
    ["Calls", calls(result)],
    ["Busiest window", `${traffic.busiestWindow} of ${QUOTA.limit} calls in any ${QUOTA.perMs / 1_000} s`],
    ["429s", options.penalty ? `${traffic.throttled} (1 is planned)` : String(traffic.throttled)],
    ...(penalty === null ? [] : [["Announced wait", announcedWait(penalty)] as const]),
    ["Dead letters", deadLetters.map(deadLetterText).join("\n") || "none"],
    ["Lag", `${count(lag)} records`],
    [
      "ERP to Sell",
      `p50 ${seconds(latency.p50Ms)}, p99 ${seconds(latency.p99Ms)} over ${count(latency.measured)} changes`,
    ],
  ];
};

/** A write that was not needed is worth its part of a full call. */
const unneeded = ({ traffic: { noOps, overtaken, savedCalls } }: Result): string =>
  `${count(noOps + overtaken)}, worth ${savedCalls.toFixed(1)} full calls: ${count(noOps)} altered nothing mapped,\n` +
  `${count(overtaken)} were overtaken by a newer change of their record`;

const calls = ({ traffic, options }: Result): string => {
  const { changes, changesPerCall, fullCalls, reads } = traffic;
  const perCall = ITEMS_PER_CALL[options.dialect];
  const full = perCall === 1 ? "" : `, ${perCall} changes a call ${count(fullCalls)}`;
  return (
    `${count(traffic.calls)} (${count(reads)} to read), ${changesPerCall.toFixed(1)} changes a call;\n` +
    `one change a call would make ${count(changes)}${full}`
  );
};

const announcedWait = ({ announcedMs, callsInside, onTheWay, firstAcceptanceAfterMs }: PenaltyWait): string =>
  `${seconds(announcedMs)}: ${callsInside} calls begun inside it` +
  `${onTheWay === 0 ? "" : ` (${onTheWay} had left with it)`}, first acceptance\n` +
  (firstAcceptanceAfterMs === null ? "never" : `${seconds(firstAcceptanceAfterMs)} after it`);

const deadLetterText = ({ reason, isPoison }: Result["deadLetters"][number]): string =>
  `${isPoison ? "the poison record" : "a record that is not poison"} (${reason})`;

const lastLine = ({ comparison }: Result, paint: Paint): string => {
  const isEqual = comparison.differences.length === 0;
  const answer = isEqual ? paint("green", "yes") : paint("red", "no");
  const detail = isEqual ? ` (${count(comparison.equal)} records, field by field)` : "";
  return `${paint("bold", "What Sell holds equals what the ERP holds:")} ${answer}${detail}`;
};

export const count = (number: number): string => number.toLocaleString("en-US");

const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;
