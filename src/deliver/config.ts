/** Where Zendesk Sell is, as whom we talk to it, and how long we wait for it. */
import { z } from "zod";

const httpUrl = z.url({ protocol: /^https?$/ });

const tlsConfig = z
  .strictObject({
    caFile: z.string().min(1).optional().meta({
      description:
        "PEM file of the authorities to trust instead of the built-in ones (a private CA, a TLS inspecting proxy).",
    }),
    certFile: z.string().min(1).optional().meta({ description: "PEM file of the client certificate; needs keyFile." }),
    keyFile: z
      .string()
      .min(1)
      .optional()
      .meta({ description: "PEM file of the client certificate's key; needs certFile." }),
  })
  .refine(({ certFile, keyFile }) => (certFile === undefined) === (keyFile === undefined), {
    error: "certFile and keyFile belong together: give both or neither",
  });

export const sellConfig = z.strictObject({
  baseUrl: httpUrl
    .refine((text) => isPlainOrigin(text), {
      error: "must be an address without user, password, query and fragment: put the token into sell.token",
    })
    .refine((text) => !/^http:\/\/([^/]*\.)?getbase\.com(:|\/|$)/i.test(text), {
      error: "Zendesk Sell is reached by https only: write https://api.getbase.com",
    })
    .default("https://api.getbase.com")
    .meta({
      description:
        "Address of Zendesk Sell. Plain http is meant for the sandbox only: the token travels with every request.",
    }),
  token: z.string().min(1).meta({
    description:
      "Access token of the user the records are written as: ${ENV} text, or file:/path, which is read again when Sell refuses the token.",
  }),
  dialect: z.enum(["auto", "bulk", "core"]).default("auto").meta({
    description:
      "bulk sends up to 50 records a request, core one. auto asks once at start, without writing anything, whether there is a bulk endpoint.",
  }),
  asyncJobs: z.boolean().default(false).meta({
    description:
      "Lets the bulk endpoint work on a batch after it has answered, and asks for the results until sell.jobTimeoutMs has passed. Each question takes a call of the quota; a job that is lost is sent again, so a record may be written twice.",
  }),
  jobTimeoutMs: z.int().min(1_000).max(600_000).default(6_000).meta({
    description:
      "How long results of an asynchronous job are asked for, in milliseconds; past it the outcome counts as unknown and the batch is sent again. Its keys stay locked meanwhile. sell.lateApplyMaxMs must be at least as long as this and sell.timeoutMs together.",
  }),
  keyField: z
    .string()
    .min(1)
    .max(100)
    .regex(/^[^[\].]+$/, "must not contain brackets or dots")
    .default("erp_id")
    .meta({
      description:
        "Name of the custom field that holds the ERP key: a single-line text field, marked filterable, on contacts, leads and deals. Products are matched by sku instead.",
    }),
  account: z
    .union([z.string().min(1), z.int().positive()])
    .optional()
    .meta({
      description: "Id or name of the Sell account this must be; with a token of another account the start is refused.",
    }),
  timeoutMs: z.int().min(100).max(120_000).default(6_000).meta({
    description:
      "Hard deadline over a whole request and its reply, in milliseconds; past it the outcome counts as unknown.",
  }),
  lateApplyMaxMs: z.int().min(100).max(600_000).default(12_000).meta({
    description:
      "How long Sell may still apply a request we gave up on, in milliseconds: nothing newer of that record is sent before. At least sell.timeoutMs.",
  }),
  indexLagMs: z.int().min(0).max(60_000).default(2_000).meta({
    description:
      "How long Sell's search may miss a record it just created, in milliseconds: its key stays locked that long.",
  }),
  headers: z
    .record(
      z.string().regex(/^[A-Za-z0-9-]{1,100}$/),
      z
        .string()
        .max(4_096)
        .regex(/^[\x20-\x7e]*$/),
    )
    .default({})
    .meta({ description: "Extra headers of every request, for a gateway in between. Ours win where names meet." }),
  proxy: httpUrl.optional().meta({
    description:
      "Forward proxy to reach Sell by: http://[user:password@]host:port. The environment's proxy settings are ignored.",
  }),
  tls: tlsConfig
    .default({})
    .meta({ description: "Certificates for the connection to Sell. Verification cannot be switched off." }),
});

export type SellConfig = z.infer<typeof sellConfig>;

const isPlainOrigin = (text: string): boolean => {
  const url = URL.parse(text);
  return url !== null && url.username === "" && url.password === "" && url.search === "" && url.hash === "";
};
