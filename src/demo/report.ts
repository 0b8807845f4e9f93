/** The result as a table and one last line, for people. */
import Table from "cli-table3";
import { ITEMS_PER_CALL, QUOTA } from "./options.ts";
import { problemsOf, type Result } from "./verdict.ts";

export type Paint = (style: "bold" | "dim" | "green" | "red", text: string) => string;

const PROBLEMS_MAX = 10;

export const report = (result: Result, paint: Paint): string => {
  const table = new Table({ style: { head: [], border: [], "padding-left": 1, "padding-right": 1 } });
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

const SOURCES =
  "All of it is read back from Sell's own log and records and from Kafka, not from the connector's counters.\n" +
  "ERP to Sell: from a change's commit in the ERP to the first write in Sell that carries it or a newer one.";

const rows = (result: Result): readonly (readonly [string, string])[] => {
  const { traffic, penalty, deadLetters, options } = result;
  const { latency } = traffic;
  const perCall = ITEMS_PER_CALL[options.dialect];
  const least = perCall === 1 ? "" : `, in full calls of ${perCall} ${count(traffic.fullCalls)}`;
  return [
    [
      "ERP changes",
      `${count(traffic.changes)}: ${count(traffic.inserts)} inserts, ${count(traffic.updates)} updates, ${count(traffic.deletes)} deletes`,
    ],
    [
      "Needed no write",
      `${count(traffic.noOps)} altered nothing mapped, ${count(traffic.overtaken)} were overtaken by a newer change\n` +
        `of their record; that saved ${traffic.savedCalls < 10 ? traffic.savedCalls.toFixed(1) : count(Math.round(traffic.savedCalls))} calls`,
    ],
    ["Written to Sell", `${count(traffic.writes)} records; ${traffic.duplicates} of them twice`],
    [
      "Calls",
      `${count(traffic.calls)}, ${traffic.changesPerCall.toFixed(1)} changes a call\n` +
        `(one call a change would be ${count(traffic.changes)}${least})`,
    ],
    ["Busiest window", `${traffic.busiestWindow} of ${QUOTA.limit} calls in any ${QUOTA.perMs / 1_000} s`],
    ["429s", options.penalty ? `${traffic.throttled}, as planned` : String(traffic.throttled)],
    ...(penalty === null
      ? []
      : [
          [
            "Announced wait",
            `${seconds(penalty.announcedMs)}: ${penalty.callsInside} calls inside it, first acceptance ` +
              (penalty.firstAcceptanceAfterMs === null
                ? "never"
                : `${seconds(penalty.firstAcceptanceAfterMs)} after it`),
          ] as const,
        ]),
    [
      "Dead letters",
      deadLetters
        .map(({ reason, isPoison }) => `${isPoison ? "the poison record" : "a record"} (${reason})`)
        .join(", ") || "none",
    ],
    ["Lag", count(result.lag)],
    [
      "ERP to Sell",
      `p50 ${seconds(latency.p50Ms)}, p99 ${seconds(latency.p99Ms)} over ${count(latency.measured)} changes`,
    ],
  ];
};

const lastLine = ({ comparison }: Result, paint: Paint): string => {
  const isEqual = comparison.differences.length === 0;
  const answer = isEqual ? paint("green", "yes") : paint("red", "no");
  const detail = isEqual ? ` (${count(comparison.equal)} records, field by field)` : "";
  return `${paint("bold", "What Sell holds equals what the ERP holds:")} ${answer}${detail}`;
};

export const count = (number: number): string => number.toLocaleString("en-US");

export const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;
