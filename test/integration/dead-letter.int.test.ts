/** One bad record hurts nobody else; and while its dead letter cannot be written, no offset passes it. */
import { expect, test } from "vitest";
import { CLEAN, check, repeated } from "../support/checker.ts";
import { guard } from "../support/until.ts";
import { World } from "../support/world.ts";

const FULL_BATCH = { batch: { maxItems: 50 } };
const BAD = 25;

test.concurrent("a record that Sell refuses, in a batch of 50, and one that cannot be read become two dead letters; the others are written once", async () => {
  await using world = await World.create({ partitions: 1, config: FULL_BATCH });
  await world.writeCustomers(1, BAD - 1);
  await world.writeNamelessCustomer(BAD);
  await world.writeCustomers(BAD + 1, 50);
  await world.erp.writeRaw(world.customers, "x", "{broken");
  await world.writeCustomers(51, 60);
  await world.start("a");
  await world.drained();
  const ledgers = await world.ledgers();
  expect(check(ledgers)).toEqual(CLEAN);
  expect(repeated(ledgers)).toBe(0);
  expect(ledgers.deadLetters).toHaveLength(2);
  guard(
    ledgers.requests.some(({ items, applied }) => items === 50 && applied.some(({ result }) => result === "failed")),
    "the refused record was not in a batch of 50",
  );
});

test.concurrent("a good version that was compacted under a refused one ends in Sell, the refused ones in the dead letters", async () => {
  await using world = await World.create({ partitions: 1, config: FULL_BATCH });
  await world.writeCustomers(1, 40);
  await world.writeCustomers(1, 3, 2);
  for (const id of [1, 2, 3]) await world.writeNamelessCustomer(id);
  await world.writeNamelessCustomer(1);
  await world.writeCustomers(2, 2, 3);
  await world.writeNamelessCustomer(50); // never had a good version
  await world.start("a");
  await world.drained();
  const ledgers = await world.ledgers();
  expect(check(ledgers)).toEqual(CLEAN);
  // Of customer 1 two, of 3 one, of 50 one. That of 2 has a good version behind it and is never tried.
  expect(ledgers.deadLetters).toHaveLength(4);
  const tries = ledgers.requests.flatMap(({ applied }) => applied).filter(({ key }) => key === "1");
  guard(tries.map(({ result }) => result).join() === "failed,failed,created", "nothing was compacted");
});

const UNWRITABLE = [
  {
    title: "takes no record of that size",
    settings: { "max.message.bytes": "100" },
    break: async () => {},
    mend: (world: World) => world.erp.kafka.admin.configureTopic(world.deadLetters, {}),
  },
  {
    title: "was deleted",
    settings: {},
    break: (world: World) => world.erp.kafka.admin.deleteTopics([world.deadLetters]),
    mend: (world: World) => world.erp.kafka.admin.createTopics([{ topic: world.deadLetters, partitions: 1 }]),
  },
] as const;

test.concurrent.for(UNWRITABLE)("a dead-letter topic that $title holds the commit, and only that", async (fault) => {
  await using world = await World.create({ partitions: 1, deadLetterTopic: fault.settings });
  const replica = await world.start("a");
  await fault.break(world);
  await world.writeCustomers(1, 20);
  await world.writeNamelessCustomer(21);
  await world.writeCustomers(22, 60);
  await replica.until(() => replica.said("dead-letter-failed").length > 0, "it says that it cannot write dead letters");
  await replica.until(() => world.accepted("accounts") === 59, "all the others are accepted");
  await replica.until(async () => (await world.lag(world.customers)) <= 40n, "what is before it is committed");
  expect(await world.lag(world.customers)).toBe(40n);

  await fault.mend(world);
  await world.drained();
  const ledgers = await world.ledgers();
  expect(check(ledgers)).toEqual(CLEAN);
  expect(repeated(ledgers)).toBe(0);
});
