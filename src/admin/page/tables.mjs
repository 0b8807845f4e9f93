/** The tables of the status page: rows of text, with bars to compare them by. */
import { clockText, countText, durationText, percentText } from "./text.mjs";

/**
 * @typedef {{ part: number, isFull?: boolean }} Bar
 * @typedef {{ text: string, isNumber?: true } | Bar} Cell
 */

/** @param {string} text @returns {Cell} */
const words = (text) => ({ text });
/** @param {string} text @returns {Cell} */
const number = (text) => ({ text, isNumber: true });
/** @param {number} value @param {number} most @returns {Cell} */
const bar = (value, most) => ({ part: most > 0 ? value / most : 0 });

/** Text only ever becomes text: names of topics come from outside. @param {HTMLElement} body @param {Cell[][]} rows @param {string} none */
const fill = (body, rows, none) => {
  const drawn = rows.map((cells) => {
    const row = document.createElement("tr");
    row.append(...cells.map(cellOf));
    return row;
  });
  if (drawn.length > 0) return body.replaceChildren(...drawn);
  const row = document.createElement("tr");
  const cell = cellOf(words(none));
  cell.colSpan = 9;
  row.append(cell);
  body.replaceChildren(row);
};

/** @param {Cell} cell */
const cellOf = (cell) => {
  const drawn = document.createElement("td");
  if ("part" in cell) {
    drawn.className = "bar";
    const inside = document.createElement("div");
    inside.style.width = `${Math.min(100, 100 * cell.part)}%`;
    if (cell.isFull) inside.dataset["full"] = "";
    drawn.append(inside);
    return drawn;
  }
  drawn.textContent = cell.text;
  if (cell.isNumber) drawn.className = "number";
  return drawn;
};

/** @param {HTMLElement} body @param {readonly import("../../telemetry/snapshot.ts").PauseSnapshot[]} pauses @param {number} nowMs */
export const showPauses = (body, pauses, nowMs) => {
  const rows = pauses.map(({ route, topic, who, why, sinceMs }) => [
    ...[words(route), words(topic), words(who), words(why)],
    words(sinceMs === null ? "in the configuration" : clockText(sinceMs, nowMs)),
  ]);
  fill(body, rows, "No route is paused.");
};

/** @param {HTMLElement} body @param {readonly import("../../domain/stages.ts").WindowUse[]} windows */
export const showWindows = (body, windows) => {
  const rows = windows.map(({ limit, perMs, used }) => [
    words(`${durationText(perMs / 1_000)}`),
    number(`${countText(used)} (${percentText(limit > 0 ? used / limit : 1)})`),
    number(countText(limit)),
    { ...bar(used, limit), isFull: used >= limit },
  ]);
  fill(body, rows, "No limit is configured.");
};

/** @param {HTMLElement} body @param {import("../history.ts").Series} history */
export const showSizes = (body, history) => {
  const sizes = Object.entries(history.counts)
    .filter(([name]) => name.startsWith("sizes."))
    .map(([name, counts]) => ({ most: name.slice("sizes.".length), calls: total(counts) }))
    .sort((a, b) => orderOf(a.most) - orderOf(b.most));
  const most = Math.max(...sizes.map(({ calls }) => calls));
  const rows = sizes.map(({ most: size, calls }) => [
    words(size === "1" ? "1" : size === "+Inf" ? "more" : `up to ${size}`),
    number(countText(calls)),
    bar(calls, most),
  ]);
  fill(body, rows, "No call in the time shown.");
};

/** @param {string} bound */
const orderOf = (bound) => (bound === "+Inf" ? Number.POSITIVE_INFINITY : Number(bound));

/** @param {readonly number[]} counts */
const total = (counts) => counts.reduce((sum, count) => sum + count, 0);

const LETTERS = "dead-letters.";

/** @param {HTMLElement} body @param {import("../status.ts").StatusPage} page */
export const showLetters = (body, { totals, history }) => {
  const reasons = Object.entries(totals)
    .filter(([name, count]) => name.startsWith(LETTERS) && count > 0)
    .sort(([, a], [, b]) => b - a);
  const most = Math.max(...reasons.map(([, count]) => count));
  const rows = reasons.map(([name, count]) => [
    words(name.slice(LETTERS.length)),
    number(countText(total(history.counts[name] ?? []))),
    number(countText(count)),
    bar(count, most),
  ]);
  fill(body, rows, "None since the start.");
};

/** @type {Record<string, string>} */
const PAUSED_FOR = {
  quota: "quota: Sell asked for a wait",
  window: "window: memory is full",
  span: "span: an old record is not settled",
  failures: "failures: most of the topic fails",
  brake: "brake: too many deletions or creations",
  paused: "paused: by somebody's word",
  stopping: "stopping: the replica ends",
};

/** @param {HTMLElement} body @param {readonly import("../worst-partitions.ts").PartitionRow[]} rows */
export const showPartitions = (body, rows) => {
  const [age, records] = [Math.max(...rows.map(({ ageS }) => ageS)), Math.max(...rows.map((row) => row.records ?? 0))];
  const cells = rows.map((row) => [
    words(row.topic),
    number(String(row.partition)),
    number(durationText(row.ageS)),
    bar(row.ageS, age),
    number(countText(row.records)),
    bar(row.records ?? 0, records),
    words(row.paused === null ? "" : (PAUSED_FOR[row.paused] ?? row.paused)),
  ]);
  fill(body, cells, "This replica owns no partition.");
};
