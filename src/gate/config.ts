/** What the account may call, and the Redis that lets all replicas share it. */
import { z } from "zod";

export const redisConfig = z
  .strictObject({
    url: z
      .string()
      .regex(/^rediss?:\/\/[^\s/]+/, "must be redis://host:6379 or rediss://host:6379")
      .meta({ description: "Redis 6.2 or later, or Valkey; rediss:// for TLS. All replicas name the same one." }),
    username: z
      .string()
      .min(1)
      .optional()
      .meta({ description: "ACL user: it needs keys sell:*, scripts with the commands they call, and INFO." }),
    password: z.string().min(1).optional().meta({
      description: "Password; write ${REDIS_PASSWORD} or file:/run/secrets/redis-password.",
      secret: true,
    }),
    tls: z
      .strictObject({
        enabled: z
          .boolean()
          .default(true)
          .meta({ description: "False switches TLS off without deleting the settings." }),
        caFile: z
          .string()
          .optional()
          .meta({ description: "PEM file of the CA; without it Node's own list is trusted." }),
        certFile: z.string().optional().meta({ description: "PEM file of the client certificate, for mutual TLS." }),
        keyFile: z.string().optional().meta({ description: "PEM file of the client certificate's key." }),
      })
      .optional()
      .meta({ description: "TLS to Redis. The files are read at the start." }),
  })
  .meta({
    description:
      "Where replicas share the quota and what Sell accepted. It may lose its data at any time. Without it only one replica can run.",
  });

export type RedisConfig = z.infer<typeof redisConfig>;

const DAY_MS = 86_400_000;

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
        "Who shares the quota: all releases on one Sell account, or those with the same token. Default as the profile says; account with own windows.",
    }),
    guardMs: z.int().min(0).max(DAY_MS).optional().meta({
      description:
        "Added to each window, because calls arrive unevenly late. Default 1 % of the window, at least 300 ms (30 % of windows under a second). More if 429s come without foreign calls.",
    }),
    catchUp: z.int().min(0).max(9).default(1).meta({
      description:
        "Unused turns that may be made up at once: after a quiet time catchUp + 1 calls may leave together. More than 1 suits servers that count whole minutes only.",
    }),
    reserve: z.int().min(0).max(100_000).default(0).meta({
      description: "Calls of each window left to other integrations of the same account.",
    }),
    spacingMs: z.int().min(0).max(3_600_000).default(0).meta({
      description: "Least time between two calls, for servers that ask for a pause after each batch.",
    }),
    outage: z.literal("stop").default("stop").meta({
      description:
        "While Redis is away nothing is sent, because replicas that cannot see each other would exceed the quota together.",
    }),
    lanes: z
      .strictObject({
        backfillFloor: z.number().min(0).max(0.5).default(0.1).meta({
          description: "Share of the calls that a backfill gets while live changes wait; 0 lets live always go first.",
        }),
      })
      .prefault({}),
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
  for (const window of quotaWindows(config)) {
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
