/** `/__sandbox`: look into the simulator and steer it over HTTP, for people and for tests in other processes. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { z } from "zod";
import { faultSchema, rateSchema, settingsSchema } from "./config.ts";
import { MAX_FAULTS } from "./fault-script.ts";
import type { Sandbox } from "./sandbox.ts";
import { readBody } from "./wire.ts";

const MAX_BODY_BYTES = 4 * 1_048_576;

const GUIDE = {
  "GET /__sandbox/state": "all records, one JSON line each; ?resource=deals",
  "GET /__sandbox/log": "all requests with what they wrote, one JSON line each; ?since=ID",
  "GET /__sandbox/summary": "counts, and the busiest window; ?windowMs=60000",
  "POST /__sandbox/faults": "a list of faults to append to the script",
  "DELETE /__sandbox/faults": "an empty script",
  "PUT /__sandbox/rate": "another quota, counted afresh",
  "PUT /__sandbox/limit": '{"limit": 150}: another limit for the first window, effective at once',
  "PUT /__sandbox/foreign": '{"perMinute": 30}: what another integration takes from the quota',
  "PATCH /__sandbox/settings": '{"indexLagMs": 0}: the settings given, the others stay',
  "POST /__sandbox/reset": "no records, no log, no faults, a rested quota; settings and rate stay",
} as const;

/** Answers one control request. These need no token and cost no quota. */
export const control = async (sandbox: Sandbox, req: IncomingMessage, res: ServerResponse, url: URL): Promise<void> => {
  const text = await readBody(req, MAX_BODY_BYTES);
  if (typeof text !== "string") return reply(res, 413, { error: "The body is too large or never came." });
  try {
    await act(sandbox, `${req.method} ${url.pathname}`, text === "" ? null : JSON.parse(text), url.searchParams, res);
  } catch (error) {
    if (!(error instanceof SyntaxError || error instanceof RangeError || error instanceof z.ZodError)) throw error;
    reply(res, 400, { error: error instanceof z.ZodError ? z.prettifyError(error) : error.message });
  }
};

const act = async (
  sandbox: Sandbox,
  route: string,
  body: unknown,
  query: URLSearchParams,
  res: ServerResponse,
): Promise<void> => {
  switch (route) {
    case "GET /__sandbox":
    case "GET /__sandbox/":
      return reply(res, 200, GUIDE);
    case "GET /__sandbox/state":
      return await lines(res, sandbox.state(query.get("resource") ?? undefined));
    case "GET /__sandbox/log":
      return await lines(res, sandbox.log(Number(query.get("since") ?? 0)));
    case "GET /__sandbox/summary":
      return reply(res, 200, sandbox.summary(Number(query.get("windowMs") ?? 60_000)));
    case "POST /__sandbox/faults":
      sandbox.script(z.array(faultSchema).max(MAX_FAULTS).parse(body));
      return reply(res, 200, {});
    case "DELETE /__sandbox/faults":
      sandbox.clearFaults();
      return reply(res, 200, {});
    case "PUT /__sandbox/rate":
      sandbox.setRate(rateSchema.parse(body));
      return reply(res, 200, {});
    case "PUT /__sandbox/limit":
      sandbox.setLimit(z.strictObject({ limit: z.int().min(1) }).parse(body).limit);
      return reply(res, 200, {});
    case "PUT /__sandbox/foreign":
      sandbox.setForeign(z.strictObject({ perMinute: z.number().min(0).max(1_000_000) }).parse(body).perMinute);
      return reply(res, 200, {});
    case "PATCH /__sandbox/settings":
      sandbox.set(settingsSchema.parse(body));
      return reply(res, 200, {});
    case "POST /__sandbox/reset":
      sandbox.reset();
      return reply(res, 200, {});
    default:
      return reply(res, 404, { error: `There is no ${route}.`, routes: GUIDE });
  }
};

const reply = (res: ServerResponse, status: number, body: object): void => {
  res.writeHead(status, { "Content-Type": "application/json; charset=utf-8" });
  res.end(`${JSON.stringify(body)}\n`);
};

/** Line by line, and no faster than the reader reads: a dump of a million records needs no memory of its own. */
const lines = async (res: ServerResponse, values: Iterable<object>): Promise<void> => {
  res.writeHead(200, { "Content-Type": "application/x-ndjson; charset=utf-8" });
  const text = function* (): Generator<string> {
    for (const value of values) yield `${JSON.stringify(value)}\n`;
  };
  await pipeline(Readable.from(text()), res).catch(() => {}); // the reader went away
};
