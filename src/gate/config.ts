/** What the account may call. */
import { z } from "zod";

const DAY_MS = 86_400_000;

const headerNames = (...names: string[]) =>
  z
    .array(z.string().regex(/^[A-Za-z0-9-]+$/, "must be the name of an HTTP header"))
    .max(10)
    .default(names)
    .meta({ description: "Header names, in any case." });

const quotaWindow = z.strictObject({
  limit: z.int().min(1).max(100_000).meta({ description: "Most requests in any stretch of `perMs`." }),
  perMs: z.int().min(100).max(DAY_MS).meta({ description: "Length of the window in milliseconds." }),
});

/** `windows` are all kept at once. `scope`: does the server count per account or per token? */
const PROFILES = {
  customer: { windows: [{ limit: 200, perMs: 60_000 }], scope: "account" },
  "sell-documented": {
    windows: [
      { limit: 10, perMs: 1_000 },
      { limit: 36_000, perMs: 3_600_000 },
    ],
    scope: "token",
  },
  none: { windows: [], scope: "account" },
} as const;

export const quotaConfig = z
  .strictObject({
    profile: z.enum(["customer", "sell-documented", "none"]).optional().meta({
      description:
        "customer (the default): 200 calls in 60 s for the account. sell-documented: 10 a second and 36,000 an hour for each token. none: only announced waits are obeyed.",
    }),
    windows: z.array(quotaWindow).min(1).max(4).optional().meta({
      description:
        "Own limits in place of a profile, all of them kept in every sliding window. A raised limit goes here.",
    }),
    scope: z.enum(["account", "token"]).optional().meta({
      description:
        "Who shares the quota: all releases on one Sell account, or those with the same token. Default as the profile says; account with own windows. A change needs a restart.",
    }),
    guardMs: z.int().min(0).max(DAY_MS).optional().meta({
      description:
        "Added to each window, because calls arrive unevenly late. Default 1 % of the window, at least 300 ms (30 % of windows under a second). More if 429s come without foreign calls.",
    }),
    catchUp: z.int().min(0).max(9).default(1).meta({
      description:
        "Unused turns that may be made up at once: after a quiet time catchUp + 1 calls may leave together. More than 1 suits servers that count whole minutes only.",
    }),
    burst: z.int().min(1).max(9).default(1).meta({
      description:
        "Calls that may leave together after a quiet time as long as the longest window; 1 keeps the even pace from the first call on. More suits servers that count whole minutes only.",
    }),
    reserve: z.int().min(0).max(100_000).default(0).meta({
      description: "Calls of each window left to other integrations of the same account.",
    }),
    spacingMs: z.int().min(0).max(3_600_000).default(0).meta({
      description: "Least time between two calls, for servers that ask for a pause after each batch.",
    }),
    graceMs: z.int().min(0).max(10_000).default(250).meta({
      description:
        "A replica that comes later than this to the turn it was promised loses that turn. More if replicas run on starved machines; after a crash the others wait as long.",
    }),
    lanes: z
      .strictObject({
        backfillFloor: z.number().min(0).max(0.5).default(0.1).meta({
          description: "Share of the calls that a backfill gets while live changes wait; 0 lets live always go first.",
        }),
      })
      .prefault({}),
    learn: z
      .strictObject({
        enabled: z.boolean().default(true).meta({
          description:
            "After a 429 go on with the rate that was accepted before it, and return to the limits in minutes.",
        }),
        floor: z.number().min(0.1).max(1).default(0.5).meta({
          description: "Part of the limits that neither 429s nor headers go below.",
        }),
        plateauMs: z.int().min(1_000).max(3_600_000).default(120_000).meta({
          description:
            "Time at about the accepted rate before the return speeds up; from half the limits it takes four times as long to be back.",
        }),
      })
      .prefault({})
      .meta({
        description: "What a 429 teaches. It happens only when others spend too, or the limits are set too high.",
      }),
    headers: z
      .strictObject({
        mode: z.enum(["down-only", "off"]).default("down-only").meta({
          description:
            "down-only: calls left, limit and reset as announced in replies may lower the pace, never raise it. off: they are ignored.",
        }),
        names: z
          .strictObject({
            limit: headerNames("x-ratelimit-limit", "x-rate-limit-limit", "x-rate-limit", "ratelimit-limit"),
            remaining: headerNames("x-ratelimit-remaining", "x-rate-limit-remaining", "ratelimit-remaining"),
            reset: headerNames("x-ratelimit-reset", "x-rate-limit-reset", "ratelimit-reset"),
          })
          .prefault({})
          .meta({
            description: "Names under which limit, calls left and reset are looked for; the first found counts.",
          }),
      })
      .prefault({})
      .meta({
        description: "Quota headers in Sell's replies or a gateway's; Sell documents none, and none are needed.",
      }),
    cooldown: z
      .strictObject({
        defaultMs: z.int().min(1_000).max(900_000).default(60_000).meta({
          description: "Wait after a 429 that does not say for how long; doubled while it goes on, up to 15 minutes.",
        }),
        alarmMs: z.int().min(1_000).max(DAY_MS).default(3_600_000).meta({
          description: "An announced wait longer than this is obeyed too (a day at most), but is logged as an error.",
        }),
        afterMs: z.int().min(0).max(60_000).default(0).meta({
          description: "Extra wait after each announced one, for servers that end theirs late.",
        }),
      })
      .prefault({})
      .meta({ description: "The wait after a 429, which all replicas keep." }),
    outage: z.enum(["stop", "local-share"]).default("stop").meta({
      description:
        "While Redis is away. stop: nothing is sent. local-share: each replica goes on with its own part of the quota; a replica that alone is cut off then exceeds it together with the others, which one 429 can make an hour's wait; several outages within one window may cost a call more than its limit. A change needs a restart.",
    }),
    share: z.number().min(0.1).max(1).default(0.9).meta({
      description: "Part of the quota that the replicas divide among themselves with `outage: local-share`.",
    }),
  })
  .prefault({})
  .meta({ description: "How many calls the account allows. A limit that is too high costs 429s, up to an hour each." });

export type QuotaConfig = z.infer<typeof quotaConfig>;
type QuotaWindow = z.infer<typeof quotaWindow>;

export interface QuotaProblem {
  /** Below the top of the configuration: `["quota", "reserve"]`. */
  readonly path: readonly string[];
  readonly message: string;
}

/** The limits in force: own windows, else those of the profile. */
export const quotaWindows = ({ windows, profile }: QuotaConfig): readonly QuotaWindow[] =>
  windows ?? PROFILES[profile ?? "customer"].windows;

/** Whether the caller should scope the gate by account or by token. */
export const quotaScope = ({ scope, windows, profile }: QuotaConfig): "account" | "token" =>
  scope ?? (windows === undefined ? PROFILES[profile ?? "customer"].scope : "account");

/** Calls arrive unevenly late; as long as the spread stays below the guard, the server never counts more than the limit. */
export const quotaGuardMs = ({ guardMs }: QuotaConfig, { perMs }: QuotaWindow): number =>
  guardMs ?? Math.max(0.01 * perMs, Math.min(300, 0.3 * perMs));

/** Settings that are valid each by itself but make no sense together, with the arithmetic that shows it. */
export const quotaProblems = (config: QuotaConfig): readonly QuotaProblem[] => {
  const problems: QuotaProblem[] = [];
  const say = (key: string, message: string): void => void problems.push({ path: ["quota", key], message });

  if (config.windows !== undefined && config.profile !== undefined) {
    say("windows", `both quota.profile (${config.profile}) and quota.windows are given; keep the one that is meant`);
  }
  const windows = quotaWindows(config);
  for (const [at, { limit, perMs }] of windows.entries()) {
    const other = windows.slice(0, at).find((before) => before.perMs === perMs);
    if (other === undefined) continue;
    say("windows", `${other.limit} and ${limit} calls are both allowed per ${perMs} ms; keep the one that is meant`);
  }
  for (const window of windows) {
    const name = `${window.limit} calls per ${window.perMs} ms`;
    const left = window.limit - config.reserve;
    if (left < 1) {
      say("reserve", `${name} less quota.reserve ${config.reserve} leaves ${left} calls; lower the reserve`);
    }
    const guardMs = quotaGuardMs(config, window);
    if (guardMs > window.perMs) {
      const used = Math.round((100 * window.perMs) / (window.perMs + guardMs));
      say(
        "guardMs",
        `a guard of ${guardMs} ms on ${name} would use only ${used} % of the quota; at most ${window.perMs}`,
      );
    }
  }
  return problems;
};
