/** A token that Sell refuses stops the calls, and costs no record; a new one in its file lets them go on. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { CLEAN, check, repeated } from "../support/checker.ts";
import { guard, until } from "../support/until.ts";
import { TOKEN, World } from "../support/world.ts";

const NEXT_TOKEN = "the-next-sandbox-token-of-the-tests";

test("a 401 pauses all replicas without a dead letter, until the token file changes", async () => {
  const folder = await mkdtemp(join(tmpdir(), "sell-sink-token-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = join(folder, "token");
  await writeFile(file, TOKEN);
  await using world = await World.create({
    sandbox: { rate: { profile: "none" }, settings: { indexLagMs: 0, tokens: [TOKEN] } },
    config: { sell: { token: `file:${file}` } },
  });
  const replicas = await world.startAll(["a", "b"]);
  for (const version of [1, 2, 3]) await world.writeCustomers(1, 150, version);
  await until(() => world.accepted("accounts") > 0, "calls are made");

  world.sandbox.set({ tokens: [NEXT_TOKEN] });
  for (const replica of replicas)
    await replica.until(() => replica.said("halted").length > 0, "it says that its token is refused");
  guard((await world.lag()) > 50n, "there was nothing left to send");
  const refusals = (): number => world.sandbox.log().filter(({ status }) => status === 401).length;
  expect(refusals(), "calls that were on the wire").toBeLessThanOrEqual(8);

  await writeFile(file, NEXT_TOKEN);
  await world.drained();
  for (const replica of replicas) expect(replica.said("unhalted").length).toBeGreaterThan(0);
  const ledgers = await world.ledgers();
  expect(check(ledgers)).toEqual(CLEAN);
  expect(repeated(ledgers)).toBe(0);
});
