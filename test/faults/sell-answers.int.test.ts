/**
 * Everything Sell, or somebody in its place, may answer: a replica as a real process, a real broker, real HTTP, and a checker
 * that reads nothing but ledgers. Each fault is met once (or for ever, where it says so), by records that are being created.
 * A scenario whose fault was never met, or showed no effect where it must, is inconclusive and fails.
 */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import type { FaultOptions, LoggedRequest } from "../../src/sandbox/index.ts";
import { CLEAN, check, type Ledgers, repeated } from "../support/checker.ts";
import { guard, until } from "../support/until.ts";
import { World } from "../support/world.ts";

const CUSTOMERS = 30;
const ITEMS = 10;
/** A fault of the first batch, or of the one call that has this key. */
const KEY = "7";

interface Scenario {
  /** Of the fault catalogue. */
  readonly id: string;
  readonly title: string;
  readonly dialect?: "core";
  /** `elsewhere` is the address of a stranger, who must never hear of us. */
  readonly faults: (elsewhere: string) => readonly FaultOptions[];
  /** Whether the records of that call were applied, so that they come again. */
  readonly comesAgain: "all" | "some" | "none";
  /** It takes a person, or here a new process, to go on. */
  readonly halts?: true;
  /** So long nobody may call after the answer. */
  readonly quietMs?: number;
}

type Reply = NonNullable<FaultOptions["reply"]>;

const once =
  (reply: Reply, more: FaultOptions = {}) =>
  () => [{ match: { method: "POST", key: KEY }, reply, ...more }];
const html = { "Content-Type": "text/html" };
const JOB = { data: { id: "8f0c", status: "queued", total: ITEMS, progress: 0, message: null, results: null } };

const waits = (title: string, reply: object, quietMs: number): Scenario => ({
  ...{ id: "F25", title: `a 429 with ${title}`, quietMs, comesAgain: "none" },
  faults: once({ status: 429, ...reply }),
});

const redirects = (status: number, halts?: true): readonly Scenario[] =>
  ["/api/v2/bulk/accounts", "another host"].map((to) => ({
    ...{ id: "F34", title: `a ${status} to ${to}`, comesAgain: "none", ...(halts && { halts }) },
    faults: (elsewhere) =>
      once({ status, headers: { Location: to.startsWith("/") ? to : `${elsewhere}/api/v2/bulk/accounts` } })(),
  }));

const SCENARIOS: readonly Scenario[] = [
  waits("seconds", { headers: { "Retry-After": "3" } }, 3_000),
  waits("a date", { retryAfterDateMs: 4_000 }, 2_900),
  waits("a hint in the body alone", { body: { error: "rate_limit_exceeded", retry_after: 3 } }, 3_000),
  waits("two hints, of which the longer counts", { headers: { "Retry-After": "1" }, body: { retry_after: 3 } }, 3_000),
  waits("half a second", { headers: { "Retry-After": "0.5" } }, 450),
  waits("no hint and no body", {}, 0),
  waits("a hint below nothing", { headers: { "Retry-After": "-1" } }, 0),
  waits("a hint that is no number", { headers: { "Retry-After": "abc" } }, 0),
  waits("a page of HTML", { headers: html, body: "<html>Slow down</html>" }, 0),
  {
    ...{ id: "F25", title: "a 404 that means 429", comesAgain: "none" },
    faults: once({
      status: 404,
      body: { errors: [{ error: { code: "incorrect_path", details: "no route for /429.json" } }] },
    }),
  },

  { id: "F27", title: "applied, and a 500", comesAgain: "all", faults: once({ status: 500 }, { apply: "all" }) },
  {
    id: "F27",
    title: "a 503 in Sell's words",
    comesAgain: "none",
    faults: once({ status: 503, body: { errors: [{ error: { code: "temporarily_unavailable" } }] } }),
  },
  {
    id: "F27",
    title: "applied, and a 502 for one record",
    dialect: "core",
    comesAgain: "all",
    faults: once({ status: 502, headers: html, body: "<html>" }, { apply: "all" }),
  },
  {
    id: "F27",
    title: "a verdict 500 for an item that was applied",
    comesAgain: "some",
    faults: once("normal", { items: { keys: [KEY], status: 500, code: "server_error", applied: true } }),
  },
  { id: "F28", title: "a reset before it was applied", comesAgain: "none", faults: once("reset", { apply: "none" }) },
  { id: "F28", title: "applied, and the reply cut", dialect: "core", comesAgain: "all", faults: once("cut") },
  {
    id: "F29",
    title: "a 409 after a create of unknown outcome",
    dialect: "core",
    comesAgain: "all",
    faults: () => [...once("cut")(), ...once({ status: 409 })()],
  },

  {
    id: "F33",
    title: "applied, and 200 without a body",
    comesAgain: "all",
    faults: once({ status: 200 }, { apply: "all" }),
  },
  {
    id: "F33",
    title: "applied, and 200 with broken JSON",
    comesAgain: "all",
    faults: once({ status: 200, body: '{"items":[{"data":' }, { apply: "all" }),
  },
  {
    id: "F33",
    title: "not applied, and a page of HTML with status 200",
    comesAgain: "none",
    faults: once({ status: 200, headers: html, body: "<html>Welcome</html>" }),
  },
  {
    id: "F33",
    title: "not applied, and a page of HTML with status 200",
    dialect: "core",
    comesAgain: "none",
    faults: once({ status: 200, headers: html, body: "<html>Welcome</html>" }),
  },
  { id: "F33", title: "not applied, and a 204", comesAgain: "none", faults: once({ status: 204 }) },
  { id: "F33", title: "not applied, and a 204", dialect: "core", comesAgain: "none", faults: once({ status: 204 }) },
  {
    id: "F33",
    title: "a 202 whose job nobody knows",
    comesAgain: "none",
    faults: once({ status: 202, headers: { Location: "/api/v2/job_statuses/8f0c" }, body: JOB }),
  },

  ...redirects(301, true),
  ...redirects(302),
  ...redirects(303),
  ...redirects(307),
  ...redirects(308, true),

  { id: "F36", title: "applied, and a reply in drops", comesAgain: "all", faults: once({ trickleMs: 300 }) },
  {
    id: "F36",
    title: "applied, and 200 MiB that come as 200 KiB",
    comesAgain: "all",
    faults: once({ hugeBytes: 200 * 2 ** 20, gzip: true }),
  },
];

const repeats = (ledgers: Ledgers, { comesAgain, dialect }: Scenario): void => {
  const most = { all: dialect === "core" ? 1 : ITEMS, some: 1, none: 0 }[comesAgain];
  expect(repeated(ledgers)).toBeLessThanOrEqual(most);
  guard(most === 0 || repeated(ledgers) > 0, "what was applied did not come again");
};

test.concurrent.for(SCENARIOS)("$id $title (dialect $dialect)", async (scenario) => {
  const { dialect = "bulk", faults, halts, quietMs } = scenario;
  await using stranger = await aStranger();
  await using world = await World.create({ sandbox: { faults: [...faults(stranger.url)] } });
  await world.writeCustomers(1, CUSTOMERS);
  await world.writeNamelessCustomer(CUSTOMERS + 1);
  const replica = await world.start("a", { batch: { maxItems: ITEMS }, sell: { dialect } });
  if (halts) {
    await replica.until(() => replica.said("halted").length > 0, "it says what is wrong");
    await replica.stop();
    await world.start("b", { batch: { maxItems: ITEMS }, sell: { dialect } });
  }
  await world.drained();
  const ledgers = await world.ledgers();
  expect({ ...check(ledgers), duplicates: [] }).toEqual(CLEAN);
  repeats(ledgers, scenario);
  expect(stranger.calls()).toBe(0);
  guard(world.sandbox.summary().faultsPending === 0, "the fault was never met");
  if (quietMs !== undefined) expect(callsWithin(quietMs, ledgers.requests)).toEqual([]);
});

const BAD = [3, 5, 8];

/** One batch of ten, three of which Sell refuses. */
const aMixedBatch = async (world: World): Promise<void> => {
  for (let id = 1; id <= ITEMS; id++)
    await (BAD.includes(id) ? world.writeNamelessCustomer(id) : world.writeCustomers(id, id));
};

test.concurrent("F32 three of ten refused, the verdicts in another order: three dead letters, and nothing comes again", async () => {
  const faults = [{ match: { method: "POST" }, verdicts: "shuffled" } as const];
  await using world = await World.create({ partitions: 1, sandbox: { faults } });
  await aMixedBatch(world);
  await world.start("a", { batch: { maxItems: ITEMS, lingerMs: 500 } });
  await world.drained();
  const ledgers = await world.ledgers();
  expect(check(ledgers)).toEqual(CLEAN);
  expect([repeated(ledgers), ledgers.deadLetters.length]).toEqual([0, BAD.length]);
  guard(ledgers.requests.some(isMixed), "no batch was refused in part");
});

test.concurrent("F32 a kill between a batch that was refused in part and its reply: only what was applied comes again", async () => {
  const faults = [{ match: { method: "POST" }, replyDelayMs: 5_000 }];
  await using world = await World.create({ partitions: 1, sandbox: { faults } });
  await aMixedBatch(world);
  const victim = await world.start("a", { batch: { maxItems: ITEMS, lingerMs: 500 } });
  await until(() => world.onTheWire(victim).some(isMixed), "the batch is applied and not answered");
  world.crash(victim);
  await world.start("b");
  await world.drained();
  const ledgers = await world.ledgers();
  expect(check(ledgers)).toEqual(CLEAN);
  expect(ledgers.deadLetters).toHaveLength(BAD.length);
  guard(repeated(ledgers) > 0, "nothing came again");
});

const isMixed = ({ applied }: LoggedRequest): boolean =>
  applied.some(({ result }) => result === "failed") && applied.some(({ result }) => result !== "failed");

test.concurrent("F38 a 413 for one record of fifty: halved until it is alone, then one dead letter", async () => {
  const faults = [{ match: { method: "POST", key: "25" }, times: null, reply: { status: 413 } }];
  await using world = await World.create({ partitions: 1, sandbox: { faults } });
  await world.writeCustomers(1, 24);
  await world.writeNamelessCustomer(25);
  await world.writeCustomers(26, 50);
  await world.start("a", { batch: { maxItems: 50, lingerMs: 500 } });
  await world.drained();
  const ledgers = await world.ledgers();
  expect(check(ledgers)).toEqual(CLEAN);
  expect(repeated(ledgers)).toBe(0);
  const calls = ledgers.requests.filter(({ items }) => items > 0);
  const [first] = calls;
  expect(calls.length).toBeLessThanOrEqual(1 + 2 * Math.ceil(Math.log2(50)) + 1);
  guard(first?.items === 50 && first.status === 413, "no batch of fifty was refused");
});

/** Calls that began so soon after the 429. */
const callsWithin = (ms: number, requests: readonly LoggedRequest[]): readonly LoggedRequest[] => {
  const told = requests.find(({ status }) => status === 429);
  guard(told !== undefined, "nobody was told to wait");
  const { endMs } = told as LoggedRequest;
  return requests.filter(
    ({ atMs, endMs: end }) => end !== endMs && atMs > (endMs ?? 0) + 250 && atMs < (endMs ?? 0) + ms,
  );
};

/** Another server, that only counts. */
const aStranger = async () => {
  let calls = 0;
  const server = createServer((_, response) => {
    calls += 1;
    response.writeHead(200, { "Content-Type": "application/json" }).end("{}");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls: () => calls,
    async [Symbol.asyncDispose]() {
      await new Promise((resolve) => server.close(resolve));
    },
  };
};
