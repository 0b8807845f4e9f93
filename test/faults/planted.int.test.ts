/** Replicas with a bug each, on a real broker and real HTTP: the checker that finds nothing elsewhere must find these. */
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import type { FaultOptions } from "../../src/sandbox/index.ts";
import type { BUGS_OF_THE_WIRE } from "../planted/bugs.ts";
import { check, type Findings } from "../support/checker.ts";
import { until } from "../support/until.ts";
import { World } from "../support/world.ts";

const PRELOAD = fileURLToPath(new URL("../planted/preload.ts", import.meta.url));
const KEY = "7";

interface Planted {
  readonly bug: keyof typeof BUGS_OF_THE_WIRE;
  readonly fault: FaultOptions;
  readonly shows: readonly (keyof Findings)[];
}

const PLANTED: readonly Planted[] = [
  {
    bug: "a batch that was answered with 2xx counts as accepted as a whole",
    fault: { items: { keys: [KEY], status: 500, code: "server_error" } },
    shows: ["lost", "wrongAtTheEnd"],
  },
  {
    bug: "a page with status 200 counts as accepted",
    fault: { reply: { status: 200, headers: { "Content-Type": "text/html" }, body: "<html>Welcome</html>" } },
    shows: ["lost", "wrongAtTheEnd"],
  },
  {
    bug: "a redirect counts as accepted",
    fault: { reply: { status: 302, headers: { Location: "/login" } } },
    shows: ["lost", "wrongAtTheEnd"],
  },
];

const withBug = (bug: keyof typeof BUGS_OF_THE_WIRE) => ({ NODE_OPTIONS: `--import=${PRELOAD}`, PLANTED: bug });

const names = (findings: Findings): readonly string[] =>
  Object.entries(findings).flatMap(([name, offenders]) => (offenders.length > 0 ? [name] : []));

test.concurrent.for(PLANTED)("$bug: $shows", async ({ bug, fault, shows }) => {
  const faults = [{ match: { method: "POST", key: KEY }, ...fault }];
  await using world = await World.create({ sandbox: { faults }, env: withBug(bug) });
  await world.writeCustomers(1, 20);
  await world.start("a");
  await world.drained();
  expect(names(check(await world.ledgers()))).toEqual(shows);
});

test.concurrent("a refused record that counts as accepted with its batch: deadLetters", async () => {
  const env = withBug("a batch that was answered with 2xx counts as accepted as a whole");
  await using world = await World.create({ env });
  await world.writeCustomers(1, 5);
  await world.writeNamelessCustomer(6);
  await world.start("a");
  await world.drained();
  expect(names(check(await world.ledgers()))).toEqual(["deadLetters"]);
});

test.concurrent("a call of unknown outcome is tried again with the newest change: regressions", async () => {
  const env = withBug("a call of unknown outcome is tried again with the newest change");
  await using world = await World.create({ env });
  await world.start("a");
  await world.writeCustomers(1, 20);
  await until(() => world.accepted("accounts") === 20, "the customers are in Sell");
  const late = { match: { method: "POST", key: KEY }, apply: "late", lateMs: 8_500, reply: "silence" } as const;
  world.sandbox.script([late]);
  await world.writeCustomers(7, 7, 2);
  const isOpen = (): boolean => world.sandbox.log().some(({ items, reply }) => items === 1 && reply === "open");
  await until(isOpen, "the call that is applied late");
  await world.writeCustomers(7, 7, 3);
  await world.drained();
  await until(() => world.accepted("accounts") >= 22, "the late call was applied");
  expect(names(check(await world.ledgers()))).toEqual(["wrongAtTheEnd", "regressions"]);
});
