/** The state of the quota for people: three small tables and the advice. */
import Table from "cli-table3";
import type { Advice } from "../advice/advice.ts";
import type { QuotaFigures } from "../advice/figures.ts";
import { countText, durationText } from "../lib/numbers.ts";
import { printable } from "../telemetry/text.ts";
import { styled, type Terminal } from "./terminal.ts";

const NO_LINES_BETWEEN = { mid: "", "left-mid": "", "mid-mid": "", "right-mid": "" };
const INCIDENTS_SHOWN = 5;

export const quotaAsText = (
  url: string,
  figures: QuotaFigures,
  advice: readonly Advice[],
  terminal: Terminal,
): string => {
  const { gate, groupId } = figures;
  const table = (head: readonly string[], rows: readonly (readonly string[])[]): string => {
    const drawn = new Table({
      head: head.map((title) => styled(terminal, "bold", title)),
      chars: NO_LINES_BETWEEN,
      style: { head: [], border: [] },
    });
    drawn.push(...rows.map((row) => [...row]));
    return `${drawn.toString()}\n`;
  };
  const parts = [
    `${styled(terminal, "bold", `Quota of ${printable(groupId)}`)}: ${stateOf(figures)}\n`,
    gate.windows.length === 0 ? "" : table(["Window", "Limit", "Started", "Left"], windowRows(figures)),
    ...(gate.incidents.length === 0
      ? ["Sell has refused no call since the quota's record began.\n"]
      : [
          refusalsTitle(figures),
          table(["Refused", "Asked wait", "Own calls then", "Of others"], incidentRows(figures)),
        ]),
    `${callsText(figures)}\n`,
    "\n",
    ...advice.map((one) => adviceText(one, terminal)),
    `${styled(terminal, "dim", `As the replica at ${url} tells it; calls are its own, the rest is of all replicas.`)}\n`,
  ];
  return parts.join("");
};

const stateOf = ({ gate, halted, settings }: QuotaFigures): string => {
  if (halted) return "requests are stopped, because a credential or a setting was refused; see the log.";
  const kept = {
    redis: `shared by ${counted(gate.replicas, "replica")} through Redis`,
    local: settings.shared ? "Redis is away, this replica uses its own share" : "kept by this process alone",
    closed: "Redis is away, nothing is sent",
  }[gate.mode];
  const pace = gate.permitsPerSecond === 0 ? "no limit" : `${countText(60 * gate.permitsPerSecond)} calls a minute`;
  const lowered = gate.share < 1 ? `, ${Math.round(100 * gate.share)} % of the limits after a refusal` : "";
  const others = gate.announced === null ? "" : `, others spend about ${countText(gate.announced.foreign)} of a window`;
  const waits =
    gate.cooldownLeftMs > 0
      ? `; Sell wants nobody to call for another ${durationText(gate.cooldownLeftMs / 1_000)}`
      : "";
  return `${kept}, ${pace}${lowered}${others}${waits}.`;
};

const windowRows = ({ gate }: QuotaFigures): readonly (readonly string[])[] =>
  gate.windows.map(({ limit, perMs, used }) => [
    durationText(perMs / 1_000),
    countText(limit),
    countText(used),
    countText(Math.max(0, limit - used)),
  ]);

const refusalsTitle = ({ gate }: QuotaFigures): string => {
  const all = gate.incidents.length;
  const shown = all > INCIDENTS_SHOWN ? `the last ${INCIDENTS_SHOWN} of ${all} remembered` : counted(all, "remembered");
  return `Refusals, ${shown}; all waits together ${durationText(gate.cooldownTotalMs / 1_000)}:\n`;
};

const incidentRows = ({ gate, atMs: nowMs }: QuotaFigures): readonly (readonly string[])[] =>
  gate.incidents
    .slice(0, INCIDENTS_SHOWN)
    .map(({ atMs, hintMs, source, windows, foreign }) => [
      `${durationText(Math.max(0, nowMs - atMs) / 1_000)} ago`,
      hintMs === null ? "not told" : `${durationText(hintMs / 1_000)} (${printable(source)})`,
      windows.map(({ used, limit, perMs }) => `${used} of ${limit} in ${durationText(perMs / 1_000)}`).join(", ") ||
        countText(null),
      foreign === null ? countText(null) : `about ${countText(foreign)}`,
    ]);

const callsText = ({ calls }: QuotaFigures): string => {
  const reasons = Object.entries(calls.batches).filter(([, count]) => count > 0);
  const batches = reasons.reduce((sum, [, count]) => sum + count, 0);
  if (batches === 0) return "No batch has left yet.";
  const closed = reasons.map(([reason, count]) => `${countText(count)} ${CLOSED_BY.get(reason) ?? printable(reason)}`);
  const records = `${(calls.items / batches).toFixed(1)} records a call`;
  const changes =
    calls.changes > calls.items ? `, which stood for ${(calls.changes / batches).toFixed(1)} changes` : "";
  const { answered } = calls;
  const times =
    answered === null
      ? ""
      : ` Half of the answers came within ${answered.halfMs} ms of the permit, nearly all within ${answered.nearlyAllMs} ms.`;
  return `${counted(batches, "batch", "batches")} since the start, ${records}${changes}: ${closed.join(", ")}.${times}`;
};

const CLOSED_BY = new Map([
  ["count", "full"],
  ["age", "because their oldest record had waited long enough"],
  ["retry", "as parts of a refused one"],
]);

const adviceText = ({ about, sentence, setting }: Advice, terminal: Terminal): string => {
  const mark = about === "nothing" ? styled(terminal, "green", "✓") : styled(terminal, "yellow", "→");
  const line =
    setting === null ? "" : `\n    ${styled(terminal, "bold", `${setting.path}: ${setting.to}`)} (now ${setting.now})`;
  return `${mark} ${printable(sentence)}${line}\n`;
};

const counted = (count: number, noun: string, plural = noun === "remembered" ? noun : `${noun}s`): string =>
  `${countText(count)} ${count === 1 ? noun : plural}`;
