/** `quota` against running replicas: what Sell refused, and the advice that comes of it. */
import { expect, test } from "vitest";
import { runMain } from "../support/replica.ts";
import { until } from "../support/until.ts";
import { QUOTA, World } from "../support/world.ts";

test("after a refusal every replica tells of it, with our own calls then, and advises", async () => {
  await using world = await World.create({
    sandbox: { rate: { windows: [{ type: "sliding-log", ...QUOTA }], penaltyMs: 3_000 } },
  });
  const replicas = await world.startAll(["a", "b"]);
  await world.writeCustomers(1, 100);
  await until(() => world.sandbox.log().some(({ items }) => items > 0), "a batch has left");
  await world.drained();
  const [asked] = replicas;
  const calm = JSON.parse((await runMain(["quota", "--admin", asked?.adminUrl ?? "", "--json"])).out);
  expect(calm).toMatchObject({
    groupId: world.groupId,
    halted: false,
    gate: { mode: "redis", replicas: 2, incidents: [] },
  });
  expect(calm.advice).toMatchObject([{ about: "nothing", setting: null }]);

  world.sandbox.setLimit(1); // somebody else has used up the account's quota
  await world.writeCustomers(101, 300);
  await until(() => world.sandbox.log().some(({ refused }) => refused), "a 429");
  world.sandbox.setLimit(QUOTA.limit);
  await world.drained();
  for (const { adminUrl } of replicas) {
    const { gate, calls, advice } = JSON.parse((await runMain(["quota", "--admin", adminUrl, "--json"])).out);
    const [incident] = gate.incidents;
    expect(gate.incidents).toHaveLength(1);
    expect(incident.hintMs).toBeGreaterThanOrEqual(3_000);
    expect(incident).toMatchObject({ windows: [{ limit: QUOTA.limit, perMs: QUOTA.perMs }] });
    expect(incident.windows[0].used).toBeLessThan(QUOTA.limit);
    expect(gate.cooldownTotalMs).toBeGreaterThan(2_000);
    expect(calls.items).toBeGreaterThan(0);
    expect(advice[0].about).toMatch(/^(reserve|limit)$/);
  }
  expect(replicas.flatMap((replica) => replica.said("quota-incident"))).toHaveLength(1);

  const { code, out, err } = await runMain(["quota", "--admin", asked?.adminUrl ?? ""]);
  expect({ code, err }).toEqual({ code: 0, err: "" });
  expect(out).toMatch(new RegExp(`^Quota of ${world.groupId}: shared by 2 replicas through Redis, `));
  expect(out).toMatch(/│ \d+ s ago +│ \d+ s \(.+\) +│ \d+ of 20 in 2 s +│ (–|about \d+) +│/);
  expect(out).toMatch(/→ Sell refused calls once within a day/);
  expect(out).not.toContain("\u001b");
});

test("nobody at the address: exit 1, one sentence and the next step", async () => {
  const { code, out, err } = await runMain(["quota", "--admin", "http://127.0.0.1:1", "--json"]);
  expect(code).toBe(1);
  expect(JSON.parse(out)).toMatchObject({ error: { code: "UNREACHABLE" } });
  expect(err).toMatch(
    /^error: No sell-sink tells the state of its quota at http:\/\/127\.0\.0\.1:1: .+\. Start it with sell-sink run, or name its admin address with --admin\.\n$/,
  );
});
