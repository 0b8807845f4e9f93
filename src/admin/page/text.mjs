/** Numbers and times as people read them. */

const UNKNOWN = "–";

/** `1,041`; small ones keep a digit. @param {number | null | undefined} count */
export const countText = (count) => {
  if (count == null) return UNKNOWN;
  const digits = count > 0 && count < 10 && !Number.isInteger(count) ? 1 : 0;
  return count.toLocaleString("en-US", { maximumFractionDigits: digits });
};

/** @param {number | null | undefined} perS */
export const rateText = (perS) => (perS == null ? UNKNOWN : `${countText(perS)}/s`);

/** @param {number | null | undefined} part */
export const percentText = (part) => (part == null ? UNKNOWN : `${Math.round(100 * part)} %`);

/** @type {readonly (readonly [string, number])[]} */
const UNITS_S = [
  ["d", 86_400],
  ["h", 3_600],
  ["min", 60],
  ["s", 1],
];

/** The two largest units: `3 d 4 h`, `12 min`, `8 s`. @param {number | null | undefined} seconds */
export const durationText = (seconds) => {
  if (seconds == null) return UNKNOWN;
  let rest = Math.round(seconds);
  const first = UNITS_S.findIndex(([, size]) => rest >= size);
  if (first < 0) return "0 s";
  const parts = [];
  for (const [unit, size] of UNITS_S.slice(first, first + 2)) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0) parts.push(`${count.toLocaleString("en-US")} ${unit}`);
  }
  return parts.join(" ");
};

/** On the clock of whoever looks; the day is told when it is another one. @param {number} atMs @param {number} nowMs */
export const clockText = (atMs, nowMs) => {
  const at = new Date(atMs);
  const time = at.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
  return at.toDateString() === new Date(nowMs).toDateString() ? time : `${at.toDateString()}, ${time}`;
};

/** Clocks that differ by less tell the same. */
const SKEW_MS = 30_000;

/** Whose times these are: the zone of whoever looks, the clock of the replica. @param {number} hereMs @param {number} thereMs */
export const zoneText = (hereMs, thereMs) => {
  const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
  const minutes = -new Date(thereMs).getTimezoneOffset();
  const [hours, rest] = [Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60];
  const offset = `${minutes < 0 ? "−" : "+"}${hours}${rest === 0 ? "" : `:${rest}`}`;
  const zone = minutes === 0 ? "Times are UTC" : `Times are those of ${timeZone} (UTC${offset})`;
  const skewMs = hereMs - thereMs;
  if (Math.abs(skewMs) < SKEW_MS) return `${zone}.`;
  const way = skewMs > 0 ? "ahead of" : "behind";
  return `${zone}, by the replica's clock: that of this computer is ${durationText(Math.abs(skewMs) / 1_000)} ${way} it.`;
};
