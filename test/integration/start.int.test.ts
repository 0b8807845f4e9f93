/** What keeps a replica from starting, and what it only waits for. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import getPort from "get-port";
import { expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../src/lib/clock.ts";
import { startSandbox } from "../../src/sandbox/index.ts";
import { until } from "../support/until.ts";
import { TOKEN, World } from "../support/world.ts";

const lastWords = (world: World, name: string): string => world.replica(name).lines.at(-1)?.msg ?? "";

test("a missing topic is named with the command that creates it", async () => {
  await using world = await World.create({ config: { deadLetter: { topic: "no-such-topic" } } });
  await expect(world.start("a")).rejects.toThrow("has ended");
  expect((await world.replica("a").exit).code).toBe(1);
  expect(lastWords(world, "a")).toMatch(/no topic no-such-topic.*kafka-topics\.sh .*--create --topic no-such-topic/);
});

test("a group that last wrote to another account refuses to start", async () => {
  await using world = await World.create();
  await world.writeCustomers(1, 3);
  const first = await world.start("a");
  await world.drained();
  await first.stop();
  const account = { id: 2, name: "Another", currency: "EUR" };
  await using other = await startSandbox(
    { account, rate: { profile: "none" } },
    { clock: systemClock, random: Math.random },
  );
  const second = await world.start("b", { sell: { baseUrl: other.url } });
  expect((await second.exit).code).toBe(1);
  expect(lastWords(world, "b")).toContain("last wrote to another Sell account");
  expect([...other.state()]).toEqual([]);
});

test("without Redis a second member of the group refuses to start, the first goes on", async () => {
  await using world = await World.create({ withoutRedis: true });
  const first = await world.start("a");
  await expect(world.start("b")).rejects.toThrow("has ended");
  expect(lastWords(world, "b")).toContain("without redis the quota can only be kept by one process");
  await world.writeCustomers(1, 3);
  await until(async () => (await world.lag()) === 0n, "the first commits");
  expect((await first.stop()).code).toBe(0);
});

test("Sell away at the start is waited for, said once, and nothing is consumed meanwhile", async () => {
  await using world = await World.create();
  await world.writeCustomers(1, 3);
  const port = await getPort();
  const replica = await world.begin("a", { sell: { baseUrl: `http://127.0.0.1:${port}` } });
  await replica.until(() => replica.said("sell-unreachable").length > 0, "it says that Sell is away");
  const ready = await fetch(`${replica.adminUrl}/readyz`);
  expect([ready.status, await ready.text()]).toEqual([503, "waiting for Sell\n"]);
  expect(await world.lag()).toBe(3n);
  await using sandbox = await startSandbox(
    { port, rate: { profile: "none" } },
    { clock: systemClock, random: Math.random },
  );
  await world.drained();
  expect([...sandbox.state()]).toHaveLength(3);
  expect(replica.said("sell-unreachable")).toHaveLength(1);
});

test("a token refused at the start is waited for until its file changes", async () => {
  const folder = await mkdtemp(join(tmpdir(), "sell-sink-token-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = join(folder, "token");
  await writeFile(file, "not-the-token-of-the-sandbox");
  await using world = await World.create({
    sandbox: { rate: { profile: "none" }, settings: { tokens: [TOKEN] } },
    config: { sell: { token: `file:${file}` } },
  });
  await world.writeCustomers(1, 3);
  const replica = await world.begin("a");
  await replica.until(() => replica.said("halted").length > 0, "it says that its token is refused");
  await writeFile(file, TOKEN);
  await world.drained();
  expect(
    world
      .replica("a")
      .lines.map(({ msg }) => msg)
      .join(),
  ).not.toContain(TOKEN);
});
