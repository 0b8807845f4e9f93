/** A running simulator for one test, and a client that talks to it over real HTTP. */
import { request } from "node:http";
import { onTestFinished } from "vitest";
import { type Sandbox, type SandboxOptions, startSandbox } from "../../../src/sandbox/index.ts";
import { FakeClock } from "../../support/fake-clock.ts";

export interface HttpReply {
  readonly status: number;
  readonly headers: { readonly [name: string]: string | string[] | undefined };
  readonly text: string;
  /** Parsed body; tests look into it freely. */
  // oxlint-disable-next-line typescript/no-explicit-any -- a test reads what it expects
  readonly json: any;
}

export interface Client {
  readonly sandbox: Sandbox;
  readonly clock: FakeClock;
  call(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<HttpReply>;
  get(path: string): Promise<HttpReply>;
  post(path: string, body: unknown): Promise<HttpReply>;
  put(path: string, body: unknown): Promise<HttpReply>;
  del(path: string): Promise<HttpReply>;
  /** A bulk upsert of accounts by `erp_id`, unless `meta` says otherwise. */
  bulk(items: readonly object[], meta?: object, kind?: string): Promise<HttpReply>;
}

/** No quota and no index lag unless asked for; the clock stands still. Closed when the test ends. */
export const aSandbox = async (options: SandboxOptions = {}): Promise<Client> => {
  const clock = new FakeClock();
  const settings = { indexLagMs: 0, ...options.settings };
  const sandbox = await startSandbox({ rate: { profile: "none" }, ...options, settings }, { clock, random: () => 0.5 });
  onTestFinished(() => sandbox.close());
  const call: Client["call"] = (method, path, body, headers = {}) => send(sandbox.url + path, method, body, headers);
  return {
    sandbox,
    clock,
    call,
    get: (path) => call("GET", path),
    post: (path, body) => call("POST", path, body),
    put: (path, body) => call("PUT", path, body),
    del: (path) => call("DELETE", path),
    bulk: (items, meta = {}, kind = "accounts") =>
      call("POST", `/api/v2/bulk/${kind}`, { items, meta: { match_on: ["custom_fields.erp_id"], ...meta } }),
  };
};

export const anAccount = (key: string, fields: object = {}): { data: object; meta: object } => ({
  data: { name: `Company ${key}`, ...fields, custom_fields: { erp_id: key } },
  meta: { type: "account", ref: `ref-${key}` },
});

/** A company over the core dialect; resolves with its id. */
export const aCompany = async (client: Client, key = "C-1"): Promise<number> => {
  const reply = await client.post("/v2/contacts", {
    data: { is_organization: true, name: "Nordlicht GmbH", custom_fields: { erp_id: key } },
  });
  return reply.json.data.id;
};

export const aDeal = async (client: Client): Promise<number> => {
  const contactId = await aCompany(client);
  return (await client.post("/v2/deals", { data: { name: "Order 1", contact_id: contactId } })).json.data.id;
};

/** Turns of the event loop until something holds; the test's own time-out is the bound. */
export const until = async (condition: () => boolean): Promise<void> => {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
};

const DEFAULT_HEADERS = {
  Authorization: "Bearer canary-token",
  "User-Agent": "test/1",
  Accept: "application/json",
  "Content-Type": "application/json",
};

const send = (url: string, method: string, body: unknown, own: Record<string, string>): Promise<HttpReply> =>
  new Promise((resolve, reject) => {
    const headers = Object.fromEntries(
      Object.entries({ ...DEFAULT_HEADERS, ...own }).filter(([, value]) => value !== ""),
    );
    const req = request(url, { method, headers, agent: false }, (res) => {
      const chunks: Buffer[] = [];
      res.on("data", (chunk: Buffer) => chunks.push(chunk));
      res.on("error", reject);
      res.on("end", () => {
        const text = Buffer.concat(chunks).toString();
        resolve({ status: res.statusCode ?? 0, headers: res.headers, text, json: parsed(text) });
      });
    });
    req.on("error", reject);
    req.end(body === undefined ? undefined : typeof body === "string" ? body : JSON.stringify(body));
  });

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};
