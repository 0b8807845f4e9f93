/** The plots over time: what each shows, and how one is drawn, read by keyboard and kept in the colours of the page. */
import { countText, durationText, percentText, rateText } from "./text.mjs";

/**
 * @typedef {import("../history.ts").Series} Series
 * @typedef {"solid" | "dashed" | "dotted"} Line
 * @typedef {(value: number | null | undefined) => string} Text
 * @typedef {{ label: string, of: (history: Series) => (number | null)[], color: 1 | 2 | 3 | 4, text?: Text, line?: Line, isFilled?: true, isLimit?: true }} Curve
 * @typedef {{ id: string, title: string, text: Text, curves: Curve[], top?: number, steps?: number[] }} Plot
 */

/** What happened, a second. @param {string} name @returns {Curve["of"]} */
const rate = (name) => (history) => {
  const seconds = secondsOf(history);
  const counts = history.counts[name];
  return seconds.map((each, i) => (counts?.[i] ?? 0) / each);
};

/** What happened, a minute. @param {string} name @returns {Curve["of"]} */
const perMinute = (name) => (history) => rate(name)(history).map((each) => (each === null ? null : 60 * each));

/** What stood then. @param {string} name @returns {Curve["of"]} */
const level = (name) => (history) => [...(history.levels[name] ?? history.atMs.map(() => null))];

/** The length of each sample; that of the first is that of the second. @param {Series} history */
const secondsOf = ({ atMs }) =>
  atMs.map((at, i) => {
    const [from, to] = i === 0 ? [at, atMs[1] ?? at + 10_000] : [atMs[i - 1] ?? at, at];
    return Math.max(0.001, (to - from) / 1_000);
  });

const WHOLE = [1, 2, 5].flatMap((digit) => [1, 10, 100, 1e3, 1e4, 1e5, 1e6, 1e7].map((power) => digit * power));
const COUNTS = WHOLE.toSorted((a, b) => a - b);
/** With one digit behind the point, as they are told. */
const RATES = [0.1, 0.2, 0.5, ...COUNTS];

/** @type {Plot[]} */
export const PLOTS = [
  {
    id: "flow",
    title: "Records: arrived, worked off, accepted, and what the quota permits",
    text: rateText,
    steps: RATES,
    curves: [
      { label: "Arrived", of: rate("arrived"), color: 1 },
      { label: "Worked off", of: rate("workedOff"), color: 4, line: "dotted" },
      { label: "Accepted by Sell", of: rate("accepted"), color: 3 },
      { label: "Permitted, full calls", of: level("permittedPerS"), color: 2, line: "dashed", isLimit: true },
    ],
  },
  {
    id: "age",
    title: "Age of the oldest record that waits, and time until all is worked off",
    text: durationText,
    steps: [1, 2, 5, 10, 30, 60, 120, 300, 600, 1_800, 3_600, 7_200, 14_400, 28_800, 86_400, 172_800, 604_800],
    curves: [
      { label: "Live", of: level("liveAgeS"), color: 1, isFilled: true },
      { label: "Backfill", of: level("backfillAgeS"), color: 2, line: "dashed" },
      { label: "Until worked off", of: level("drainS"), color: 3, line: "dotted" },
    ],
  },
  {
    id: "lag",
    title: "Records that wait, in all partitions of this replica",
    text: countText,
    steps: COUNTS,
    curves: [{ label: "Lag", of: level("lag"), color: 1, isFilled: true }],
  },
  {
    id: "quota",
    title: "Quota used, and waits that Sell asked for",
    text: percentText,
    top: 1,
    curves: [
      { label: "Used of the fullest window", of: level("quotaUsed"), color: 1 },
      {
        label: "Cool-down",
        of: (history) => level("cooldownLeftS")(history).map((left) => (left === null ? null : left > 0 ? 1 : 0)),
        text: (value) => (value == null ? "–" : value > 0 ? "yes" : "no"),
        ...{ color: 2, line: "dashed", isFilled: true },
      },
    ],
  },
  {
    id: "batches",
    title: "Calls a minute, by why they left",
    text: countText,
    steps: COUNTS,
    curves: [
      { label: "Full", of: perMinute("batches.count"), color: 1 },
      { label: "Had waited long enough", of: perMinute("batches.age"), color: 3, line: "dashed" },
      { label: "Part of a refused one", of: perMinute("batches.retry"), color: 2, line: "dotted" },
    ],
  },
  {
    id: "replicas",
    title: "Replicas that share the quota",
    text: countText,
    steps: COUNTS,
    curves: [{ label: "Replicas", of: level("replicas"), color: 1 }],
  },
];

/** Ticks of less tell seconds, and need room for them. */
const SHORT_S = 360;
const HEIGHT = 180;
const DASHES = { solid: [], dashed: [8, 4], dotted: [2, 3] };
/** A limit far above what happens would press everything else flat: it is then only told in the key. */
const LIMIT_SHOWN_UP_TO = 4;

/** @param {string} name */
const cssColor = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

/**
 * Adds the plot to `parent`; the function that is returned draws a history.
 * @param {Plot} plot @param {HTMLElement} parent @returns {(history: Series) => void}
 */
export const addPlot = (plot, parent) => {
  const figure = document.createElement("figure");
  figure.id = plot.id;
  const caption = document.createElement("figcaption");
  caption.textContent = plot.title;
  const canvas = document.createElement("div");
  canvas.className = "canvas";
  canvas.tabIndex = 0;
  canvas.setAttribute("role", "application");
  canvas.setAttribute("aria-label", `${plot.title}: arrow keys read the samples`);
  const key = keyOf(plot);
  figure.append(caption, canvas, key.list);
  parent.append(figure);

  /** @param {number | null} index Null: the newest. */
  const show = (index) => {
    const [times = []] = drawn.data;
    const at = index ?? times.length - 1;
    key.tell(drawn.data, at, index === null ? null : (times[at] ?? null));
  };
  const drawn = new uPlot(optionsOf(plot, canvas.clientWidth || 400, show), emptyData(plot), canvas);
  new ResizeObserver(() => drawn.setSize({ width: canvas.clientWidth, height: HEIGHT })).observe(canvas);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => drawn.redraw());
  readByKeyboard(canvas, drawn);
  // Read out what is looked at, and not every refresh.
  canvas.addEventListener("focus", () => key.list.setAttribute("aria-live", "polite"));
  canvas.addEventListener("blur", () => key.list.removeAttribute("aria-live"));

  return (history) => {
    const columns = plot.curves.map(({ of }) => of(history));
    drawn.setData([history.atMs.map((ms) => ms / 1_000), ...columns]);
    if (history.atMs.length < 2) canvas.dataset["empty"] = "the first samples come within half a minute";
    else delete canvas.dataset["empty"];
    if (drawn.cursor.idx == null) show(null);
  };
};

/** @param {Plot} plot @returns {uPlot.AlignedData} */
const emptyData = ({ curves }) => [[], ...curves.map(() => [])];

/** @param {Plot} plot @param {number} width @param {(index: number | null) => void} show @returns {uPlot.Options} */
const optionsOf = (plot, width, show) => {
  const axis = {
    stroke: () => cssColor("faint"),
    grid: { stroke: () => cssColor("rule"), width: 1 },
    ticks: { show: false },
  };
  /** @type {uPlot.Axis} */
  const times = {
    ...axis,
    size: 28,
    space: (_, __, fromS, toS) => (toS - fromS < SHORT_S ? 72 : 48),
    values: (_, ticks, __, ___, step) => ticks.map((tick) => tickText(tick, step)),
  };
  /** @type {uPlot.Axis} */
  const values = { ...axis, size: 64, values: (_, ticks) => ticks.map(plot.text) };
  if (plot.steps !== undefined) values.incrs = plot.steps;
  return {
    ...{ width, height: HEIGHT, padding: [8, 32, 0, 0] },
    legend: { show: false },
    cursor: { drag: { x: false, y: false }, y: false, points: { size: 6 } },
    scales: { y: { range: (self) => rangeOf(plot, self) } },
    axes: [times, values],
    series: [
      {},
      ...plot.curves.map(({ label, color, line = /** @type {const} */ ("solid"), isFilled }) => ({
        ...{ label, width: 2, dash: DASHES[line], points: { show: false } },
        stroke: () => cssColor(`series-${color}`),
        ...(isFilled ? { fill: () => `${cssColor(`series-${color}`)}22` } : {}),
      })),
    ],
    hooks: { setCursor: [({ cursor }) => show(cursor.idx ?? null)] },
  };
};

/** With seconds only where they tell ticks apart. @param {number} atS @param {number} step */
const tickText = (atS, step) =>
  new Date(1_000 * atS).toLocaleTimeString("en-GB", {
    ...{ hour: "2-digit", minute: "2-digit" },
    ...(step < 60 ? { second: "2-digit" } : {}),
  });

/** From 0 to a little above the highest. @param {Plot} plot @param {uPlot} drawn @returns {[number, number]} */
const rangeOf = ({ curves, top }, { data }) => {
  if (top !== undefined) return [0, top];
  /** @param {boolean} isLimit */
  const highest = (isLimit) =>
    curves.reduce((most, curve, i) => {
      if ((curve.isLimit ?? false) !== isLimit) return most;
      return Math.max(most, ...Array.from(data[i + 1] ?? [], (value) => value ?? 0));
    }, 0);
  const [flow, limit] = [highest(false), highest(true)];
  const most = limit <= LIMIT_SHOWN_UP_TO * flow ? Math.max(flow, limit) : flow;
  return [0, Math.max(1, 1.1 * most)];
};

/** What the lines are, and their values at the cursor or at the end. @param {Plot} plot */
const keyOf = ({ curves, text }) => {
  const list = document.createElement("ul");
  list.className = "key";
  const when = document.createElement("li");
  const values = curves.map(({ label, color, line = "solid" }) => {
    const item = document.createElement("li");
    const swatch = document.createElement("span");
    swatch.className = "swatch";
    swatch.dataset["color"] = String(color);
    swatch.dataset["line"] = line;
    const value = document.createElement("b");
    item.append(swatch, `${label}: `, value);
    list.append(item);
    return value;
  });
  list.append(when);
  return {
    list,
    /** @param {uPlot.AlignedData} data @param {number} index @param {number | null} atS */
    tell(data, index, atS) {
      for (const [i, value] of values.entries()) value.textContent = (curves[i]?.text ?? text)(data[i + 1]?.[index]);
      when.textContent = atS === null ? "" : `at ${new Date(1_000 * atS).toLocaleTimeString("en-GB")}`;
    },
  };
};

/** @param {HTMLElement} canvas @param {uPlot} drawn */
const readByKeyboard = (canvas, drawn) => {
  canvas.addEventListener("keydown", (event) => {
    const [times = []] = drawn.data;
    const last = times.length - 1;
    const at = drawn.cursor.idx ?? last;
    /** @type {Record<string, number>} */
    const moves = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: last };
    const to = moves[event.key];
    if (to !== undefined && last >= 0) {
      event.preventDefault(); // else the page scrolls
      const time = times[Math.min(Math.max(to, 0), last)] ?? 0;
      drawn.setCursor({ left: drawn.valToPos(time, "x"), top: 0 });
    } else if (event.key === "Escape") drawn.setCursor({ left: -10, top: -10 });
  });
};
