/**
 * Secrets and a person's data are planted, and searched for in everything that comes out of a running connector: its log at
 * the lowest level, its pages, its commands, what it leaves in Kafka and Redis. A proxy that the environment names meets nobody.
 */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { CANARIES, leaksIn, USER } from "../support/canaries.ts";
import { RedisFarm } from "../support/redis.ts";
import { guard } from "../support/until.ts";
import { World } from "../support/world.ts";

const TOKEN = CANARIES["sell.token"];
const PASSWORD = CANARIES["redis.url"];
const GATEWAY = CANARIES["sell.headers"];
/** In every record, as a value; and as the key of one. */
const PERSON = { name: "Erika-Musterfrau-4711", mail: "erika.4711@example.com" };

const PAGES = ["/", "/livez", "/readyz", "/startupz", "/metrics", "/lag", "/quota", "/status", "/debug", "/config"];

const aTrap = async () => {
  const met: string[] = [];
  const server = createServer((request, response) => {
    met.push(request.url ?? "");
    response.end();
  });
  server.on("connect", (request, socket) => {
    met.push(request.url ?? "");
    socket.destroy();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    met,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.dispose]: () => server.close(),
  };
};

test("no secret, and nothing of a record, is in what a replica and the commands say and leave behind", async () => {
  using trap = await aTrap();
  await using farm = new RedisFarm();
  const redis = await farm.server({ user: [USER, "on", `>${PASSWORD}`, "~*", "&*", "+@all"] });
  await using world = await World.create({
    partitions: 2,
    sandbox: { settings: { indexLagMs: 0, tokens: [TOKEN] } },
    redisUrl: `redis://${USER}:${encodeURIComponent(PASSWORD)}@127.0.0.1:${redis.port}`,
    config: {
      sell: { token: TOKEN, headers: { "X-Sandbox-Instance": "a", "X-Gateway": GATEWAY } },
      window: { parkTimeoutMs: 1_000 },
      log: { level: "debug" },
    },
    env: { HTTP_PROXY: trap.url, HTTPS_PROXY: trap.url, ALL_PROXY: trap.url, NO_PROXY: "", NODE_USE_ENV_PROXY: "1" },
    replays: true,
  });
  const body = { errors: [{ error: { code: TOKEN, field: TOKEN, message: `Bearer ${TOKEN} ${PERSON.name}` } }] };
  const quoting = (status: number) => ({
    match: { path: "/api/v2/bulk" },
    reply: { status, body, headers: { "X-Echo": TOKEN, "Retry-After": "1" } },
  });
  world.sandbox.script([quoting(500), quoting(429)]);
  const customer = (id: number | string, name: string | null) => ({ key: { id }, after: { id, name } });
  await world.erp.write(world.customers, [
    customer(1, PERSON.name),
    customer(2, null),
    customer(PERSON.mail, PERSON.name),
  ]);
  await world.erp.writeRaw(world.customers, PERSON.mail, `{"broken ${PERSON.name}`);
  const order = { order_no: 9, name: PERSON.name, customer_id: `nobody-${PERSON.mail}` };
  await world.erp.write(world.orders, [{ key: { order_no: 9 }, after: order }]);

  const replica = await world.start("a");
  await world.drained();
  const letters = (await world.ledgers()).deadLetters;
  expect(letters.length).toBe(3);
  guard(replica.said("quota-incident").length > 0 && replica.said("outcome-unknown").length > 0, "Sell quoted nothing");
  world.sandbox.script([quoting(401)]);
  await world.writeCustomers(20, 20);
  await replica.until(() => replica.said("halted").length > 0, "it says that the token is refused");

  const pages = await Promise.all(PAGES.map(async (page) => (await fetch(replica.adminUrl + page)).text()));
  const commands = [["doctor"], ["validate", "--online", "--json"], ["plan"], ["lag", "--every", "1"], ["dlq", "list"]];
  const more = [
    ["validate", "--print"],
    ["preview", "--topic", world.customers, "--online"],
  ];
  const ended = await Promise.all([
    ...commands.map((command) => world.command(...command)),
    ...more.map((command) => world.tell(...command)),
  ]);
  const said = ended.flatMap(({ out, err }) => [out, err]);
  expect(ended.every(({ out }) => out.length > 0)).toBe(true);
  await replica.stop();
  const { admin } = world.erp.kafka;
  const marks = await admin.committed(world.groupId, await admin.endOffsets([world.customers, world.orders]));
  const keys = (await redis.do("KEYS", "*")) as string[];
  const remembered = await Promise.all(keys.map(async (key) => String(await redis.do("DUMP", key).catch(String))));
  expect(keys.length).toBeGreaterThan(3);

  const log = replica.lines.map((line) => JSON.stringify(line)).join("\n");
  const headers = letters.map(({ headers: list }) =>
    list.map(([name, value]) => `${name}=${value?.toString()}`).join(),
  );
  const secrets = { TOKEN, PASSWORD, GATEWAY };
  const places = { log, pages, commands: said, letters: [...headers, ...letters.map(({ value }) => String(value))] };
  const all = { ...places, marks: marks.map(({ metadata }) => metadata ?? ""), redis: [...keys, ...remembered] };
  for (const [place, texts] of Object.entries(all))
    expect([place, leaksIn([texts].flat().join("\n"), secrets)]).toEqual([place, []]);

  // A dead letter holds its record, Redis an ERP key; a log, a page and a commit hold nothing of either.
  for (const [place, text] of Object.entries({ log, pages: pages.join("\n"), marks: all.marks.join("\n") }))
    expect([place, leaksIn(text, PERSON)]).toEqual([place, []]);
  expect(leaksIn(remembered.join("\n"), { name: PERSON.name })).toEqual([]);
  expect(headers.join("\n")).toContain(`accounts nobody-${PERSON.mail}`);
  expect(trap.met).toEqual([]);
});
