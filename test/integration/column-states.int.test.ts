/**
 * The four states of a mapped column against the requests that leave: each row goes from a topic through a whole replica into
 * the simulator of Sell. What was sent is read by a recorder in between, and the simulator's own log vouches for it.
 */
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { bodyHash } from "../../src/sandbox/index.ts";
import type { ErpRow } from "../support/erp.ts";
import { World } from "../support/world.ts";

const UNAVAILABLE = "__debezium_unavailable_value";
const ROW = { id: 1, name: "Nordlicht" };

/** In this order: each state must do its work against what the one before left behind. */
const STEPS: readonly (readonly [state: string, after: ErpRow])[] = [
  ["a value", { ...ROW, phone: "+49 30 1" }],
  ["the same value again", { ...ROW, phone: "+49 30 1" }],
  ["unavailable", { ...ROW, phone: UNAVAILABLE }],
  ["unavailable again", { ...ROW, phone: UNAVAILABLE }],
  ["absent", ROW],
  ["absent again", ROW],
  ["null", { ...ROW, phone: null }],
  ["null again", { ...ROW, phone: null }],
  ["unavailable", { ...ROW, phone: UNAVAILABLE }],
  ["another value", { ...ROW, phone: "+49 30 2" }],
];

interface Sent {
  readonly method: string;
  readonly path: string;
  /** The attributes of the one record in it. */
  readonly data: Readonly<Record<string, unknown>>;
}

/** Passes everything on, and keeps the writes. */
const recorderBefore = async (target: string) => {
  const sent: Sent[] = [];
  const server = createServer(async (request, response) => {
    const body = await textOf(request);
    const { method = "", url = "", headers } = request;
    const data = body === "" ? undefined : recordIn(JSON.parse(body));
    if (data !== undefined) sent.push({ method, path: url.replace(/\?.*/, ""), data });
    const answer = await fetch(target + url, {
      method,
      headers: { "Content-Type": "application/json", Authorization: headers.authorization ?? "" },
      ...(body !== "" && { body }),
    });
    response.writeHead(answer.status, { "Content-Type": "application/json" }).end(await answer.text());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    /** What was sent since the last call. */
    take: () => sent.splice(0),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
};

const textOf = async (request: IncomingMessage): Promise<string> => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
};

const recordIn = (body: { data?: Sent["data"]; items?: readonly { data: Sent["data"] }[] }): Sent["data"] | undefined =>
  body.data ?? body.items?.[0]?.data;

/** One line a step: what came, what left, what Sell holds then. */
const tableOf = async (dialect: "bulk" | "core"): Promise<string> => {
  await using world = await World.create({ partitions: 1 });
  await using recorder = await recorderBefore(world.sandbox.url);
  const route = { topic: world.customers, format: "debezium-json", entity: "accounts", key: "id" };
  await world.start("a", {
    sell: { baseUrl: recorder.url, dialect },
    routes: [{ ...route, fields: { name: "name", phone: "phone" } }],
  });
  const lines: string[] = [];
  for (const [state, after] of STEPS) {
    const before = world.sandbox.log().length;
    await world.erp.write(world.customers, [{ key: { id: 1 }, after }]);
    await world.drained();
    const sent = recorder.take();
    const logged = world.sandbox
      .log()
      .slice(before)
      .flatMap(({ applied }) => applied);
    expect(sent.map(({ data }) => bodyHash(data))).toEqual(logged.map(({ hash }) => hash));
    const [held] = [...world.sandbox.state("contacts")].map(({ data }) => data["phone"]);
    const requests = sent.map(({ method, path, data }) => `${method} ${path} ${phoneIn(data)}`).join("; ");
    lines.push(`| ${state} | ${requests || "none"} | ${JSON.stringify(held)} |`);
  }
  return lines.join("\n");
};

const phoneIn = (data: Sent["data"]): string =>
  "phone" in data ? `"phone": ${JSON.stringify(data["phone"])}` : "without phone";

const DIALECTS = [
  { dialect: "bulk", create: "POST /api/v2/bulk/accounts", update: "POST /api/v2/bulk/accounts" },
  { dialect: "core", create: "POST /v2/contacts/upsert", update: "PUT /v2/contacts/90001" },
] as const;

test.concurrent.for(DIALECTS)(
  "$dialect: a value and null are written; unavailable and absent leave the field alone, and are never a no-op",
  async ({ dialect, create, update }) => {
    expect(await tableOf(dialect)).toBe(
      [
        `| a value | ${create} "phone": "+49 30 1" | "+49 30 1" |`,
        `| the same value again | none | "+49 30 1" |`,
        `| unavailable | ${update} without phone | "+49 30 1" |`,
        `| unavailable again | ${update} without phone | "+49 30 1" |`,
        `| absent | ${update} without phone | "+49 30 1" |`,
        `| absent again | ${update} without phone | "+49 30 1" |`,
        `| null | ${update} "phone": null | null |`,
        `| null again | none | null |`,
        `| unavailable | ${update} without phone | null |`,
        `| another value | ${update} "phone": "+49 30 2" | "+49 30 2" |`,
      ].join("\n"),
    );
  },
);
