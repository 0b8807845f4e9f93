/** `lag` against a running replica, and against Kafka when none runs. */
import { expect, test } from "vitest";
import { runMain } from "../support/replica.ts";
import { World } from "../support/world.ts";

test("without a replica Kafka tells the whole group's lag and age; a replica tells its own by its admin port", async () => {
  await using world = await World.create({ partitions: 2 });
  await world.writeCustomers(1, 40);
  const fromKafka = await world.command("lag", "--json", "--every", "1");
  expect({ code: fromKafka.code, err: fromKafka.err }).toEqual({
    code: 0,
    err: expect.stringMatching(
      /\nNo sell-sink tells its lag at http:\/\/127\.0\.0\.1:8080: .* Kafka is asked instead\.\n$/,
    ),
  });
  const before = JSON.parse(fromKafka.out);
  expect(before.from).toBe("kafka");
  expect(before.total).toMatchObject({ records: 40, workedPerS: 0, arrivedPerS: 0, drainS: null });
  expect(before.partitions).toHaveLength(4);
  for (const { topic, records, ageS } of before.partitions) {
    expect(records > 0).toBe(topic === world.customers);
    expect(ageS > 0).toBe(records > 0);
  }

  const replica = await world.start("a");
  await world.drained();
  const asked = await runMain(["lag", "--admin", replica.adminUrl, "--every", "1"]);
  expect({ code: asked.code, err: asked.err }).toEqual({ code: 0, err: "" });
  const rows = asked.out.split("\n").filter((line) => line.includes("│"));
  expect(rows).toHaveLength(1 + 4 + 1);
  expect(rows.at(-1)).toMatch(/all +│ +4 │ +0 │ +0 s │ +0 \/s │ +0 \/s │ +0 s │/);
  expect(asked.out).toContain(`As the replica at ${replica.adminUrl} tells it. The quota permits `);
  expect(asked.out).not.toContain("\u001b");
});

test("nobody at the address: exit 1 and one sentence", async () => {
  const { code, out, err } = await runMain(["lag", "--admin", "http://127.0.0.1:1", "--json"]);
  expect(code).toBe(1);
  expect(JSON.parse(out)).toMatchObject({ error: { code: "UNREACHABLE" } });
  expect(err).toMatch(/^error: No sell-sink tells its lag at http:\/\/127\.0\.0\.1:1: .+\.\n$/);
});
