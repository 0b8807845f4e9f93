/** Numbers as people read them. */

/** `1,041`; `–` when it is not known. */
export const countText = (count: number | null): string =>
  count === null ? UNKNOWN : Math.round(count).toLocaleString("en-US");

/** `1.5 /s`, `120 /s`; small ones keep a digit, and what is not nothing does not look like it. */
export const rateText = (perS: number | null): string => {
  if (perS === null) return UNKNOWN;
  if (perS > 0 && perS < 0.05) return "<0.1 /s";
  return `${perS > 0 && perS < 10 ? perS.toFixed(1) : countText(perS)} /s`;
};

/** The two largest units: `3 d 4 h`, `12 min`, `8 s`. */
export const durationText = (seconds: number | null): string => {
  if (seconds === null) return UNKNOWN;
  let rest = Math.round(seconds);
  const parts: string[] = [];
  for (const [unit, size] of UNITS_S) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0) parts.push(`${count.toLocaleString("en-US")} ${unit}`);
    else if (parts.length > 0) break;
    if (parts.length === 2) break;
  }
  return parts.length === 0 ? "0 s" : parts.join(" ");
};

const UNKNOWN = "–";

const UNITS_S = [
  ["d", 86_400],
  ["h", 3_600],
  ["min", 60],
  ["s", 1],
] as const;
