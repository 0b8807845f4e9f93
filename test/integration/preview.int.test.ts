/** `preview` of a topic: its newest records, with nothing joined, committed or sent. */
import { expect, test } from "vitest";
import type { QuotaFigures } from "../../src/advice/figures.ts";
import { World } from "../support/world.ts";

test("the newest records become mutations and requests; no group, no commit, no call", async () => {
  await using world = await World.create({ partitions: 3 });
  await world.writeCustomers(1, 30);
  await world.deleteCustomers(7, 7);
  const { code, out } = await world.command("preview", "--topic", world.customers, "--limit", "4", "--json");
  expect(code).toBe(0);
  const { records, requests, isPart } = JSON.parse(out);
  expect({ records: records.length, isPart }).toEqual({ records: 4, isPart: true });
  const actions = records.flatMap(({ mutations }: { mutations: { action: string; key: string }[] }) =>
    mutations.map(({ action, key }) => `${action} ${key}`),
  );
  expect(actions).toContain("delete 7");
  expect(requests.length).toBeGreaterThan(1);
  expect(await world.erp.kafka.admin.members(world.groupId)).toEqual([]);
  expect((await world.offsets()).every(({ committed }) => committed === null)).toBe(true);
  expect(world.sandbox.log()).toEqual([]);
});

test("--online asks Sell beside a replica: one quota counts the calls of both, and what would change is said field by field", async () => {
  const quota = { windows: [{ limit: 6_000, perMs: 300_000 }] };
  await using world = await World.create({ partitions: 2, config: { quota } });
  await world.writeCustomers(1, 30);
  const replica = await world.start("a");
  await world.drained();
  const { code, out, err } = await world.command(
    "preview",
    "-t",
    world.customers,
    "--online",
    "--limit",
    "15",
    "--json",
  );
  expect(code).toBe(0);
  expect(err).toContain("Asking Sell takes 16 calls of the quota.\n");
  const figures = (await (await fetch(`${replica.adminUrl}/quota`)).json()) as Pick<QuotaFigures, "gate">;
  expect(figures.gate.windows[0]?.used).toBe(world.sandbox.log().length);
  const { records } = JSON.parse(out);
  const held = records.flatMap(({ mutations }: { mutations: { inSell: { is: string } }[] }) => mutations[0]?.inSell.is);
  expect(held).toEqual(Array.from({ length: 15 }, () => "unchanged"));
  expect(world.sandbox.log().filter(({ instance, items }) => instance !== "a" && items > 0)).toEqual([]);

  expect((await replica.stop()).code).toBe(0);
  await world.writeCustomers(30, 31, 2);
  const changed = await world.command("preview", "--topic", world.customers, "--online", "--limit", "2");
  expect(changed.out).toContain('      name: "Customer 30 v1" -> "Customer 30 v2"\n');
  expect(changed.out).toContain("Compared with Sell: 1 would be created, 1 would change.\n");
});

test("a topic that Kafka does not have is exit 1 and one sentence", async () => {
  const routes = [{ topic: "no-such", format: "json", entity: "accounts", key: "id", fields: { name: "name" } }];
  await using other = await World.create({ config: { routes } });
  const { code, out, err } = await other.command("preview", "--topic", "no-such");
  expect({ code, out }).toEqual({ code: 1, out: "" });
  expect(err).toContain("error: Kafka has no topic no-such, or this user may not see it.\n");
});
