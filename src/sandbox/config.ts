/** What the simulator can be told: its quota, its quirks, its catalogue and its faults. All of it works on a running one too. */
import { z } from "zod";

const windowSchema = z.strictObject({
  type: z
    .enum([
      "clock-window",
      "window-from-first",
      "sliding-log",
      "sliding-log-counting-refused",
      "sliding-counter",
      "token-bucket",
      "gcra",
    ])
    .default("clock-window")
    .meta({ description: "How the server counts; see limiters.ts." }),
  limit: z.int().min(1).max(1_000_000).meta({ description: "Requests allowed per `perMs`." }),
  perMs: z.int().min(1).max(86_400_000).meta({ description: "Length of the window." }),
  burst: z
    .int()
    .min(1)
    .optional()
    .meta({ description: "Requests a rested token-bucket (default `limit`) or gcra (default 3) takes at once." }),
});

export const rateSchema = z.strictObject({
  profile: z
    .enum(["customer", "sell-documented", "sell-observed", "support-like", "none"])
    .default("customer")
    .meta({ description: "Where the other settings of the rate come from, unless they are given." }),
  windows: z
    .array(windowSchema)
    .max(4)
    .optional()
    .meta({ description: "All must agree; [] means that there is no limit." }),
  scope: z.enum(["token", "account"]).optional().meta({ description: "Who shares one quota." }),
  headers: z
    .enum(["none", "remaining", "full", "support"])
    .optional()
    .meta({ description: "Quota headers on every reply; `full` adds Retry-After to a 429." }),
  body: z.enum(["customer", "sell", "empty", "text"]).optional().meta({ description: "Body of a 429." }),
  penaltyMs: z
    .int()
    .min(0)
    .optional()
    .meta({ description: "After the first refusal everything is refused for so long; 0: no penalty." }),
  retryAfterS: z
    .int()
    .min(0)
    .optional()
    .meta({ description: "Say this in every 429, whatever the truth is (3600 is what a customer saw)." }),
  resetSkewMs: z.int().optional().meta({ description: "Added to X-RateLimit-Reset: the server's clock is off." }),
  headersMissingShare: z.number().min(0).max(1).optional().meta({ description: "Share of replies without headers." }),
  disguisedShare: z
    .number()
    .min(0)
    .max(1)
    .optional()
    .meta({ description: "Share of refusals that come as a 404 about /429.json." }),
  bulkCost: z.enum(["request", "items"]).optional().meta({ description: "What a bulk call takes from the quota." }),
  foreignPerMinute: z
    .number()
    .min(0)
    .max(1_000_000)
    .optional()
    .meta({ description: "Requests per minute that another integration takes from the account's quota." }),
});

const customFieldSchema = z.strictObject({
  name: z.string().min(1),
  type: z.enum([
    "string",
    "number",
    "list",
    "multi_select_list",
    "date",
    "datetime",
    "text",
    "bool",
    "email",
    "phone",
    "url",
    "address",
  ]),
  choices: z.array(z.string()).optional().meta({ description: "Of list and multi_select_list." }),
  filterable: z.boolean().optional().meta({ description: "Default: what Sell allows for the type." }),
});

const jsonSchema = z.json();

const answerSchema = z.strictObject({
  status: z.int().min(200).max(599),
  headers: z.record(z.string(), z.string()).optional(),
  body: jsonSchema.optional().meta({ description: "Text is sent as it is, anything else as JSON." }),
  retryAfterDateMs: z
    .int()
    .optional()
    .meta({ description: "Adds Retry-After as a date so many milliseconds from now." }),
});

const replySchema = z.union([
  z.enum(["normal", "reset", "cut", "truncated", "silence"]),
  answerSchema,
  z.strictObject({ trickleMs: z.int().min(0).meta({ description: "One byte, then this wait, and so on." }) }),
  z.strictObject({
    hugeBytes: z
      .int()
      .min(1)
      .max(2 ** 32),
    gzip: z.boolean().default(false),
  }),
]);

const itemFaultSchema = z.strictObject({
  keys: z.array(z.string()).optional().meta({ description: "Of these records; default all of the batch." }),
  status: z.int().min(400).max(599),
  code: z.string(),
  applied: z.boolean().default(false).meta({ description: "The verdict lies: the item was applied." }),
});

/** One line of a fault script. What happens to the records and what the client gets to see are told apart. */
export const faultSchema = z.strictObject({
  match: z
    .strictObject({
      method: z.string().optional(),
      path: z.string().optional().meta({ description: "Start of the path." }),
      key: z.string().optional().meta({ description: "The request writes or asks for this key." }),
      nth: z.int().min(1).optional().meta({ description: "Only the nth request that matches the rest." }),
      everyNth: z.int().min(1).optional(),
    })
    .default({}),
  times: z.int().min(1).nullable().default(1).meta({ description: "How often it happens; null: for ever." }),
  delayMs: z.int().min(0).default(0).meta({ description: "Wait before anything is applied." }),
  apply: z
    .enum(["all", "none", "half", "late"])
    .optional()
    .meta({ description: "Default: `none` with an answer of your own, else `all`; `half` of a batch's items." }),
  lateMs: z.int().min(0).default(500).meta({ description: "`late`: applied so long after the reply went out." }),
  replyDelayMs: z.int().min(0).default(0).meta({ description: "Wait between applying and replying." }),
  reply: replySchema.default("normal"),
  verdicts: z
    .enum(["shuffled", "missing", "extra", "doubled", "older-version"])
    .optional()
    .meta({ description: "What becomes of a bulk reply's list of results." }),
  items: itemFaultSchema.optional().meta({ description: "Verdicts of single items of a bulk request." }),
  job: z.enum(["stuck", "failed"]).optional().meta({ description: "How an asynchronous job ends." }),
});

/** What may change while the simulator runs; what is not given stays as it is, see DEFAULT_SETTINGS. */
export const settingsSchema = z
  .strictObject({
    bulk: z.boolean().meta({ description: "False: only what Zendesk documents; bulk paths answer 404." }),
    bulkMaxItems: z.int().min(1).max(1_000).meta({ description: "Items of one bulk request." }),
    maxBodyBytes: z.int().min(1_024).meta({ description: "A larger request body is a 413." }),
    asyncBulk: z.boolean().meta({ description: "Bulk answers 202 and a job even when not asked to." }),
    jobMs: z.int().min(0).meta({ description: "How long an asynchronous job takes." }),
    jobTtlMs: z.int().min(1).meta({ description: "When a finished job is forgotten." }),
    indexLagMs: z.int().min(0).meta({ description: "Filters and upserts see a write only so much later." }),
    multiMatch: z
      .enum(["error-409", "error-422", "first"])
      .meta({ description: "What an upsert does when several records match." }),
    tokens: z.array(z.string().min(1)).nullable().meta({ description: "Tokens that are accepted; null: any." }),
    forbidden: z
      .array(z.string())
      .meta({ description: "Resources that answer 403: no plan for them, frozen, or no administrator." }),
  })
  .partial();

type GivenSettings = z.output<typeof settingsSchema>;
export type Settings = { readonly [K in keyof GivenSettings]-?: Exclude<GivenSettings[K], undefined> };

export const DEFAULT_SETTINGS: Settings = {
  bulk: true,
  bulkMaxItems: 50,
  maxBodyBytes: 1_048_576,
  asyncBulk: false,
  jobMs: 200,
  jobTtlMs: 3_600_000,
  indexLagMs: 1_000,
  multiMatch: "error-409",
  tokens: null,
  forbidden: [],
};

export const sandboxSchema = z.strictObject({
  host: z.string().default("127.0.0.1").meta({ description: "Address to listen on; 0.0.0.0 in a container." }),
  port: z.int().min(0).max(65_535).default(0).meta({ description: "0: any free one." }),
  account: z
    .strictObject({ id: z.int().min(1), name: z.string(), currency: z.string() })
    .default({ id: 1, name: "Sandbox", currency: "EUR" }),
  keyField: z.string().default("erp_id").meta({ description: "Custom field whose value names a record in the log." }),
  revisionField: z
    .string()
    .default("erp_revision")
    .meta({ description: "Custom field whose value is logged with each write, to tell versions of a record apart." }),
  customFields: z
    .strictObject({
      contact: z.array(customFieldSchema).max(500),
      lead: z.array(customFieldSchema).max(500),
      deal: z.array(customFieldSchema).max(500),
    })
    .partial()
    .default({})
    .meta({ description: "Replaces the default catalogue of that resource." }),
  rate: rateSchema.default({ profile: "customer" }),
  settings: settingsSchema.default({}),
  faults: z.array(faultSchema).max(1_000).default([]),
  logFile: z
    .string()
    .optional()
    .meta({ description: "The applied log is also appended here, on disk before the reply goes out." }),
  keepAliveMs: z.int().min(1).default(65_000).meta({ description: "When an idle connection is closed." }),
});

export type WindowOptions = z.output<typeof windowSchema>;
export type RateOptions = z.input<typeof rateSchema>;
export type CustomField = z.output<typeof customFieldSchema>;
export type Fault = z.output<typeof faultSchema>;
export type FaultOptions = z.input<typeof faultSchema>;
export type FaultReply = z.output<typeof replySchema>;
export type ItemFault = z.output<typeof itemFaultSchema>;
export type SettingsOptions = z.input<typeof settingsSchema>;
export type SandboxOptions = z.input<typeof sandboxSchema>;
export type SandboxConfig = z.output<typeof sandboxSchema>;
