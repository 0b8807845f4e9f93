/** One piece of advice, and the words its numbers are told in. */

export interface Advice {
  readonly about:
    | "redis"
    | "reserve"
    | "limit"
    | "guard"
    | "cool-down"
    | "burst"
    | "batch"
    | "capacity"
    | "replica"
    | "nothing";
  /** What to do, and the numbers that say so. */
  readonly sentence: string;
  /** The line of the configuration to change; null: none, or not only one. */
  readonly setting: { readonly path: string; readonly now: number; readonly to: number } | null;
}

/** `60 s`, `600 ms`, `60 min`, `24 h`. */
export const spanText = (ms: number): string => {
  if (ms < 1_000) return `${round(ms)} ms`;
  if (ms <= 120_000) return `${round(ms / 1_000)} s`;
  return ms <= 7_200_000 ? `${round(ms / 60_000)} min` : `${round(ms / 3_600_000)} h`;
};

/** `1,204`; fractions of small numbers keep a digit. */
export const numberText = (value: number): string => round(value).toLocaleString("en-US");

/** `93 %`. */
export const percentText = (part: number): string => `${Math.round(100 * part)} %`;

/** `1 call`, `2 calls`. */
export const counted = (count: number, noun: string): string =>
  `${numberText(count)} ${noun}${round(count) === 1 ? "" : "s"}`;

const round = (value: number): number => (Math.abs(value) < 10 ? Math.round(10 * value) / 10 : Math.round(value));
