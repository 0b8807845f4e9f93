/** The look at the start: what it refuses, and what it leaves to the decoder because it is not its affair. */
import { expect, test } from "vitest";
import type { ConsumerRecord } from "../../../src/domain/record.ts";
import { refuseUntyped } from "../../../src/wiring/untyped-topics.ts";
import { aRecord } from "../../support/builders.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { routesOf } from "../map/builders.ts";

const never = new AbortController().signal;
const FIELDS = { name: "name", "custom_fields.credit": { from: "credit", as: "decimal(2)" } };

const recordOf = (credit: unknown): ConsumerRecord =>
  aRecord({
    position: { topic: "customers", partition: 0, offset: 0n, epoch: 0 },
    key: Buffer.from('{"id":1}'),
    value: Buffer.from(JSON.stringify({ op: "c", after: { id: 1, name: "a", credit }, source: {} })),
  });

const look = (
  sample: (topic: string) => Promise<readonly ConsumerRecord[]>,
  route: object = {},
  clock = new FakeClock(),
) => refuseUntyped({ routes: [...routesOf({ fields: FIELDS, ...route })] }, { sample, schemas: null, clock }, never);

const sampleOf =
  (...credits: readonly unknown[]) =>
  async () =>
    credits.map(recordOf);

test("a decimal without type is refused, with the surest of the hints that its values allow", async () => {
  await expect(look(sampleOf("1234", "Yag=", null))).rejects.toMatchObject({
    code: "COLUMN_UNTYPED",
    retriable: false,
    message:
      'Route "customers -> accounts", field "custom_fields.credit" reads column "credit" as a number, whose type the records of customers do not carry. Next: add hints: { credit: decimal(2) }, 2 standing for its scale in the database.',
  });
  await expect(look(sampleOf("1234", "12.50"))).rejects.toThrow("Next: add hints: { credit: text }.");
  await look(sampleOf("1234", "Yag="), { hints: { credit: "decimal(2)" } });
});

test("one odd record among good ones keeps nobody from starting", async () => {
  await look(sampleOf(1, 2.5, "12,50"));
});

test("a topic that cannot be read, or an empty one, keeps nobody from starting", async () => {
  await look(() => Promise.reject(new Error("no leader")));
  await look(sampleOf());
});

test("a look that takes too long is given up", async () => {
  const clock = new FakeClock();
  const looking = look(() => new Promise(() => {}), {}, clock);
  clock.advance(10_000);
  await looking;
});

test("Avro is not looked at: it has types", async () => {
  const asked: string[] = [];
  const sample = async (topic: string) => {
    asked.push(topic);
    return [];
  };
  await look(sample, { format: "debezium-avro" });
  await look(sample, { format: "outbox", encoding: "apicurio-avro-8" });
  expect(asked).toEqual([]);
});
