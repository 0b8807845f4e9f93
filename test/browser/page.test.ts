/** The status page in a real browser: every element against a known state, without any network but the admin port. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import axe, { type AxeResults } from "axe-core";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, inject, test } from "vitest";
import type { Admin } from "../../src/admin/server.ts";
import type { Snapshot } from "../../src/telemetry/snapshot.ts";
import { aGateState } from "../support/gate-state.ts";
import { aPartition, aSnapshot, StatusWorld } from "../support/status-world.ts";
import { anHour } from "./an-hour.ts";

const OUTPUT = join(import.meta.dirname, "output");
/** Where the README's picture goes: `SCREENSHOTS=deploy/screenshots npm run test:browser` renews it. */
const PICTURES = process.env["SCREENSHOTS"] ?? OUTPUT;
const executablePath = inject("chromium");
const inBrowser = test.skipIf(executablePath === null);

let browser: Browser;
beforeAll(async () => {
  if (executablePath === null) return;
  const args = ["--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"];
  browser = await chromium.launch({ executablePath, args, chromiumSandbox: false });
  await mkdir(OUTPUT, { recursive: true });
});
afterAll(() => browser?.close());

const open: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

interface Visit {
  readonly page: Page;
  readonly admin: Admin;
  /** What the console complained about, what failed, and what was asked for elsewhere. */
  readonly complaints: string[];
}

interface View {
  readonly colorScheme?: "dark" | "light";
  readonly width?: number;
  readonly timezoneId?: string;
  /** By the clock of whoever looks; else that of this machine. */
  readonly nowMs?: number;
}

/** Opens the page and waits until it has shown what the replica said. */
const visit = async (
  world: StatusWorld,
  { colorScheme = "light", width = 1_280, timezoneId = "UTC", nowMs }: View = {},
): Promise<Visit> => {
  const admin = await world.serve();
  open.push(() => admin.close());
  const context = await browser.newContext({ colorScheme, viewport: { width, height: 900 }, timezoneId });
  open.push(() => context.close());
  const page = await context.newPage();
  if (nowMs !== undefined) await page.clock.install({ time: nowMs });
  const complaints: string[] = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("request", (request) => {
    if (!request.url().startsWith(`${admin.url}/`)) complaints.push(`asked ${request.url()}`);
  });
  page.on("response", (response) => {
    if (!response.ok()) complaints.push(`${response.status()} ${response.url()}`);
  });
  await page.goto(admin.url);
  await page.locator("#group", { hasText: "erp-to-sell" }).waitFor();
  return { page, admin, complaints };
};

const rowsOf = async (page: Page, table: string): Promise<readonly string[]> =>
  (await page.locator(`#${table} tr`).all()).reduce<Promise<string[]>>(
    async (rows, row) => [...(await rows), (await row.locator("td").allTextContents()).filter(Boolean).join(" | ")],
    Promise.resolve([]),
  );

const factsOf = (page: Page): Promise<Record<string, string>> =>
  page
    .locator("#facts > div")
    .evaluateAll((pairs) =>
      Object.fromEntries(
        pairs.map((pair) => [pair.querySelector("dt")?.textContent, pair.querySelector("dd")?.textContent]),
      ),
    );

const keyOf = async (page: Page, plot: string): Promise<readonly string[]> =>
  (await page.locator(`#${plot} .key li`).allTextContents()).filter(Boolean);

/** Three minutes in which 40 records a second come, 30 are worked off and the quota is in full use. */
const behind = async (): Promise<StatusWorld> => {
  const world = new StatusWorld();
  const gate = aGateState({
    windows: [{ limit: 200, perMs: 60_000, used: 198 }],
    ...{ permitsPerSecond: 200 / 60, replicas: 2 },
  });
  const at = (look: number): Snapshot =>
    aSnapshot({
      gate,
      windowRecords: 1_200,
      parked: new Map([["deals", 7]]),
      partitions: [
        aPartition({
          ...{ endOffset: 100_000 + 400 * look, lag: 5_000 + 100 * look, paused: "window" },
          oldestPendingAgeS: { live: 400 + look, backfill: 0 },
        }),
        aPartition({ topic: "erp.sales.customers", partition: 3, endOffset: 90 }),
      ],
    });
  for (let look = 0; look <= 18; look++) {
    for (let call = 0; call < 20; call++) {
      world.emit("batch-closed", { reason: call < 18 ? "count" : "age", verb: "upsert", items: 50, changes: 60 });
      world.call("200");
      world.emit("delivered", { topic: "erp.sales.orders", result: "updated", latencyMs: 900 });
    }
    const letter = { topic: "erp.sales.orders", position: "erp.sales.orders[0]@7", message: "no" };
    if (look % 6 === 0) world.emit("dead-lettered", { ...letter, reason: look === 0 ? "bad-value" : "invalid-record" });
    await world.looks(at(look));
  }
  return world;
};

inBrowser("it shows what the replica says, in every element", async () => {
  const { page, complaints } = await visit(await behind());
  expect(await page.locator("#sentence").textContent()).toBe(
    "Late: the oldest change has waited 6 min 58 s, because the quota is in full use, and at this pace it does not catch up.",
  );
  expect(await page.locator("#verdict").getAttribute("data-state")).toBe("late");
  expect(await page.title()).toBe("late · erp-to-sell · sell-sink");
  expect(await page.locator("#next").textContent()).toBe(
    "What to do: sell-sink quota says who spends it and what to change; more replicas do not help.",
  );
  expect(await page.locator("#next code").allTextContents()).toEqual(["sell-sink quota"]);
  expect(await page.locator("#zone").textContent()).toMatch(/^Times are UTC/);
  expect(await page.locator("#pauses").isVisible()).toBe(false);
  expect(await page.locator("header").innerText()).toBe(
    "sell-sink 1.2.3 · group erp-to-sell\n\nReplica sell-sink-0, running for 3 min 10 s",
  );
  expect(await factsOf(page)).toEqual({
    "Oldest live change": "6 min 58 s",
    "Oldest backfill record": "0 s",
    "Records that wait": "6,800",
    "All worked off in": "–",
    Arrive: "40/s",
    "Can be worked off": "30/s",
    "In memory": "1,200",
    "Wait for a parent": "7",
    Replicas: "2",
  });
  expect(await keyOf(page, "flow")).toEqual([
    "Arrived: 40/s",
    "Worked off: 30/s",
    "Accepted by Sell: 2/s",
    "Permitted, full calls: 167/s",
  ]);
  expect(await keyOf(page, "age")).toEqual(["Live: 6 min 58 s", "Backfill: 0 s", "Until worked off: –"]);
  expect(await keyOf(page, "lag")).toEqual(["Lag: 6,800"]);
  expect(await keyOf(page, "quota")).toEqual(["Used of the fullest window: 99 %", "Cool-down: no"]);
  expect(await keyOf(page, "batches")).toEqual(["Full: 108", "Had waited long enough: 12", "Part of a refused one: 0"]);
  expect(await keyOf(page, "replicas")).toEqual(["Replicas: 2"]);
  expect(await page.locator("#quota-text").textContent()).toBe(
    "Shared by all replicas through Redis; 200 calls a minute of up to 50 records; no cool-down.",
  );
  expect(await rowsOf(page, "windows")).toEqual(["1 min | 198 (99 %) | 200"]);
  expect(await rowsOf(page, "sizes")).toEqual(["up to 50 | 360"]);
  expect(await rowsOf(page, "letters")).toEqual(["invalid-record | 3 | 3", "bad-value | 0 | 1"]);
  expect(await rowsOf(page, "partitions")).toEqual([
    "erp.sales.orders | 0 | 6 min 58 s | 6,800 | window: memory is full",
    "erp.sales.customers | 3 | 0 s | 0",
  ]);
  expect(await page.locator("#partitions-text").textContent()).toBe(
    "1 of 2 partitions of this replica have records that wait.",
  );
  expect(await page.evaluate("document.getAnimations().length")).toBe(0); // nothing moves, whoever may mind it
  await page.screenshot({ path: join(OUTPUT, "late.png"), fullPage: true });
  expect(complaints).toEqual([]);
});

inBrowser.each(["light", "dark"] as const)(
  "nobody is kept out in %s colours: names, order and contrast",
  async (colorScheme) => {
    const { page, complaints } = await visit(await behind(), { colorScheme });
    await page.evaluate(axe.source);
    const { violations } = await page.evaluate<AxeResults>("axe.run({ resultTypes: ['violations'] })");
    expect(violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])).toEqual([]);
    await page.screenshot({ path: join(OUTPUT, `late-${colorScheme}.png`), fullPage: true });
    expect(complaints).toEqual([]);
  },
);

inBrowser("it is read by keyboard alone: links, spans, each plot sample by sample, the table", async () => {
  const { page, complaints } = await visit(await behind());
  const focused = (): Promise<string> =>
    page
      .locator("*:focus")
      .evaluate(
        (now) =>
          now.closest("figure")?.id ??
          now.getAttribute("href") ??
          now.getAttribute("value") ??
          now.getAttribute("class"),
      )
      .then(String);
  const order: string[] = [];
  for (let stop = 0; stop < 13; stop++) {
    await page.keyboard.press("Tab");
    order.push(await focused());
  }
  expect(order).toEqual([
    ...["#now", "1h", "flow", "age", "lag", "quota", "batches", "replicas", "scroll"],
    ...["/metrics", "/lag", "/quota", "/status"],
  ]);

  await page.locator("#age .canvas").focus();
  expect(await page.locator("#age .key").getAttribute("aria-live")).toBe("polite");
  await page.keyboard.press("Home");
  expect(await keyOf(page, "age")).toEqual(["Live: 6 min 41 s", "Backfill: 0 s", "Until worked off: –", "at 22:30:20"]);
  await page.keyboard.press("ArrowRight");
  expect(await keyOf(page, "age")).toEqual(["Live: 6 min 42 s", "Backfill: 0 s", "Until worked off: –", "at 22:30:30"]);
  await page.keyboard.press("Escape");
  expect(await keyOf(page, "age")).toEqual(["Live: 6 min 58 s", "Backfill: 0 s", "Until worked off: –"]);

  await page.locator("input[value='1h']").focus();
  const asked = page.waitForRequest(/\/status\?span=6h$/);
  await page.keyboard.press("ArrowRight");
  await asked;
  await page.locator("#replicas .canvas[data-empty]").waitFor({ state: "detached" });
  expect(await keyOf(page, "flow")).toContain("Arrived: 40/s");
  expect(complaints).toEqual([]);
});

inBrowser("of a thousand partitions the worst are shown, and hostile names are only text", async () => {
  const world = new StatusWorld();
  const partitions = Array.from({ length: 1_000 }, (_, partition) =>
    aPartition({ partition, lag: partition, oldestPendingAgeS: { live: partition / 10, backfill: 0 } }),
  );
  const topic = "<img src=x onerror=alert(1)>";
  partitions.push(aPartition({ topic, lag: 9, paused: "<b>", oldestPendingAgeS: { live: 0, backfill: 7_200 } }));
  await world.looks(aSnapshot({ partitions }));
  const { page, complaints } = await visit(world);
  const rows = await rowsOf(page, "partitions");
  expect([rows.length, rows[0], rows[1]]).toEqual([
    20,
    `${topic} | 0 | 2 h | 9 | <b>`,
    "erp.sales.orders | 999 | 1 min 40 s | 999",
  ]);
  expect(await page.locator("#partitions-text").textContent()).toBe(
    "1,000 of 1,001 partitions of this replica have records that wait. The worst 20 are shown; sell-sink lag --json has them all.",
  );
  expect(complaints).toEqual([]);
});

inBrowser("a wait that Sell asked for says until when", async () => {
  const world = new StatusWorld();
  const cooling = aSnapshot({ gate: aGateState({ cooldownLeftMs: 2_400_000, share: 0.75, permitsPerSecond: 0 }) });
  for (let look = 0; look < 3; look++) await world.looks(cooling);
  const { page, complaints } = await visit(world);
  expect(await page.locator("#verdict").innerText()).toBe(
    [
      "In time so far, but the quota is spent and Sell wants nobody to call for another 40 min.",
      "Until about 23:10.",
      "What to do: sell-sink quota says who spends it and what to change; more replicas do not help.",
      "In time so far, but the quota is spent and Sell wants nobody to call for another 40 min.",
    ].join("\n\n"),
  );
  expect(await page.locator("#quota-text").textContent()).toBe(
    "Shared by all replicas through Redis; no limit; 75 % of the limits after a refusal; cool-down for another 40 min, until 23:10.",
  );
  expect(await rowsOf(page, "windows")).toEqual(["No limit is configured."]);
  expect(await keyOf(page, "quota")).toEqual(["Used of the fullest window: –", "Cool-down: yes"]);
  expect(complaints).toEqual([]);
});

inBrowser("paused routes are told with who, why and since when", async () => {
  const world = new StatusWorld();
  const pause = { route: "customers", topic: "erp.sales.customers", who: "ann", why: "wrong prices" };
  const pauses = [
    { ...pause, sinceMs: world.clock.now() - 60_000 },
    { ...pause, route: "orders", who: "the configuration", sinceMs: null },
  ];
  await world.looks(aSnapshot({ pauses }));
  const { page, complaints } = await visit(world);
  expect(await page.locator("#sentence").textContent()).toBe(
    'Standing still: route "customers" is paused by ann (wrong prices), and another route.',
  );
  expect(await rowsOf(page, "paused")).toEqual([
    "customers | erp.sales.customers | ann | wrong prices | 22:29",
    "orders | erp.sales.customers | the configuration | wrong prices | in the configuration",
  ]);
  expect(complaints).toEqual([]);
});

inBrowser("before the pipeline runs it says what is waited for, and nothing that is not known", async () => {
  const world = new StatusWorld();
  world.snapshot = null;
  world.notReady = "waiting for Kafka";
  const { page, complaints } = await visit(world);
  expect(await page.locator("#sentence").textContent()).toBe("Not delivering: waiting for Kafka.");
  expect(new Set(Object.values(await factsOf(page)))).toEqual(new Set(["–"]));
  expect(await page.locator("#flow .canvas").getAttribute("data-empty")).toBe(
    "the first samples come within half a minute",
  );
  expect(await rowsOf(page, "partitions")).toEqual(["This replica owns no partition."]);
  expect(await rowsOf(page, "letters")).toEqual(["None since the start."]);
  expect(complaints).toEqual([]);
});

inBrowser.each([360, 481])("it fits a telephone %s pixels wide, also with long names in it", async (width) => {
  const world = await behind();
  const topic = "customer.master.data.".repeat(7);
  const pause = { route: topic, topic, who: "ann@example.com", why: "wrong prices", sinceMs: 0 };
  const paused = aPartition({ topic, lag: 7, paused: "paused", oldestPendingAgeS: { live: 9_000, backfill: 0 } });
  await world.looks(aSnapshot({ pauses: [pause], partitions: [paused] }));
  const { page, complaints } = await visit(world, { width });
  const { x = width, width: needs = 0 } = (await page.locator("#partitions td.number").nth(1).boundingBox()) ?? {};
  expect(x + needs).toBeLessThan(width);
  expect(await page.locator("html").evaluate(({ scrollWidth }) => scrollWidth)).toBe(width);
  const widths = await page.locator(".u-wrap").evaluateAll((plots) => plots.map(({ clientWidth }) => clientWidth));
  expect(Math.max(...widths)).toBeLessThan(width);
  await page.screenshot({ path: join(OUTPUT, `narrow-${width}.png`), fullPage: true });
  expect(complaints).toEqual([]);
});

inBrowser("a replica that is gone is told as that, and what is shown as old", async () => {
  const { page, admin } = await visit(await behind());
  expect(await page.locator("#stale").isVisible()).toBe(false);
  await admin.close();
  await page.locator("input[value='6h']").check(); // asks at once
  await page.locator("#stale").waitFor();
  expect(await page.locator("#stale").textContent()).toMatch(
    /^This replica has not answered since \d\d:\d\d: what you see is as old as that. Asking again.$/,
  );
  expect(await page.locator("#sentence").textContent()).toMatch(/^Late: /);
  expect(await page.locator("#verdict").getAttribute("data-state")).toBe("unknown");
  expect(await page.title()).toBe("no answer · erp-to-sell · sell-sink");
});

inBrowser("times are told in the zone of whoever looks, and by whose clock when two differ", async () => {
  const world = await behind();
  const nowMs = world.clock.now();
  const zoneOf = async (timezoneId: string, here: number): Promise<string | null> => {
    const { page } = await visit(world, { timezoneId, nowMs: nowMs + here });
    return page.locator("#zone").textContent();
  };
  expect(await zoneOf("Asia/Kolkata", 5_000)).toMatch(/^Times are those of Asia\/(Kolkata|Calcutta) \(UTC\+5:30\)\.$/);
  expect(await zoneOf("America/New_York", 720_000)).toMatch(
    /^Times are those of America\/New_York \(UTC−5\), by the replica's clock: that of this computer is 12 min.* ahead of it\.$/,
  );
  expect(await zoneOf("UTC", -95_000)).toMatch(
    /^Times are UTC, by the replica's clock: that of this computer is 1 min .* behind it\.$/,
  );
});

inBrowser("an hour with a long wait says until when all is worked off", async () => {
  const { page, complaints } = await visit(await anHour());
  expect(await page.locator("#sentence").textContent()).toMatch(
    /^Late: the oldest change has waited \d+ min .*, because the quota is in full use; all is worked off in about \d+ min/,
  );
  expect(await page.locator("#until").textContent()).toMatch(/^Until about \d\d:\d\d\.$/);
  await page.screenshot({ path: join(PICTURES, "status-page.png"), fullPage: true });
  expect(complaints).toEqual([]);
});
