/** The quotas that servers of this kind have shown, from Zendesk's documentation and from what people met. */
import type { RateOptions, WindowOptions } from "./config.ts";

/** All settings of a quota, with nothing left to default. */
export type Rate = {
  readonly [K in Exclude<keyof RateOptions, "profile" | "windows" | "retryAfterS">]-?: NonNullable<RateOptions[K]>;
} & { readonly windows: readonly WindowOptions[]; readonly retryAfterS: number | null };

/** The profile, and what is given instead of its settings. */
export const rateOf = ({ profile = "customer", windows, ...own }: RateOptions): Rate => {
  const given = Object.fromEntries(Object.entries(own).filter(([, value]) => value !== undefined));
  const counted = windows?.map((window) => ({ ...window, type: window.type ?? "clock-window" }));
  return { ...PROFILES[profile], ...given, ...(counted === undefined ? {} : { windows: counted }) };
};

/** Zendesk documents ten requests a second and 36,000 an hour, each for one token. */
const SELL_WINDOWS: readonly WindowOptions[] = [
  { type: "token-bucket", limit: 10, perMs: 1_000 },
  { type: "sliding-log", limit: 36_000, perMs: 3_600_000 },
];

const PLAIN = {
  penaltyMs: 0,
  retryAfterS: null,
  resetSkewMs: 0,
  headersMissingShare: 0,
  disguisedShare: 0,
  bulkCost: "request",
  foreignPerMinute: 0,
} as const;

const PROFILES: { readonly [name in NonNullable<RateOptions["profile"]>]: Rate } = {
  /** What a customer of Sell met: 200 a minute for the whole account. */
  customer: {
    ...PLAIN,
    windows: [{ type: "clock-window", limit: 200, perMs: 60_000 }],
    scope: "account",
    headers: "full",
    body: "customer",
  },
  "sell-documented": { ...PLAIN, windows: SELL_WINDOWS, scope: "token", headers: "none", body: "sell" },
  /** As first-party code and tests show it: no header, no body, sometimes a 404 in disguise. */
  "sell-observed": {
    ...PLAIN,
    windows: SELL_WINDOWS,
    scope: "token",
    headers: "none",
    body: "empty",
    disguisedShare: 0.05,
  },
  "support-like": {
    ...PLAIN,
    windows: [{ type: "clock-window", limit: 700, perMs: 60_000 }],
    scope: "account",
    headers: "support",
    body: "text",
  },
  none: { ...PLAIN, windows: [], scope: "account", headers: "none", body: "customer" },
};
