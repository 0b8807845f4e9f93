/** A real registry: Debezium's own Avro bytes under the ids it gives, a table that changes, ids it never gave, and silence. */
import { SchemaRegistry, SchemaType } from "@kafkajs/confluent-schema-registry";
import avsc from "avsc";
import { describe, expect, inject, test } from "vitest";
import { schemaRegistryConfig } from "../../src/decode/config.ts";
import { createDecoder } from "../../src/decode/decoder.ts";
import { createSchemaSource } from "../../src/decode/schema-source.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { World } from "../support/world.ts";
import { aRecord, changeOf, reasonOf, TOPIC } from "../unit/decode/support.ts";
import vectors from "../unit/decode/vectors.json" with { type: "json" };

const vector = vectors.find(({ name }) => name === "decimal-precise-avro");
const { 1: keySchema = {}, 2: valueSchema = {} } = (vector?.schemas ?? {}) as Record<number, object>;
const KEY = Buffer.from(vector?.keyBase64 ?? "", "base64").subarray(5);
const VALUE = Buffer.from(vector?.valueBase64 ?? "", "base64").subarray(5);

/** Debezium's nanoseconds need 64 bits on the writing side too. */
const bigLong = avsc.types.LongType.__with({
  fromBuffer: (bytes: Buffer) => bytes.readBigInt64LE(),
  toBuffer: (long: bigint) => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64LE(long);
    return bytes;
  },
  fromJSON: BigInt,
  toJSON: Number,
  isValid: (long: unknown) => typeof long === "bigint",
  compare: (a: bigint, b: bigint) => (a < b ? -1 : a > b ? 1 : 0),
});

const typeOf = (schema: object): avsc.Type =>
  avsc.Type.forSchema(schema as avsc.Schema, {
    wrapUnions: false,
    typeHook: (part: unknown) => (part === "long" ? bigLong : undefined) as avsc.Type,
  });

/** The envelope's schema after `ALTER TABLE ... ADD COLUMN note text`. */
const withNote = (): object => {
  const schema = structuredClone(valueSchema) as { fields: { type: [string, { fields: object[] }] }[] };
  schema.fields[0]?.type[1].fields.push({ name: "note", type: ["null", "string"], default: null });
  return schema;
};

const framed = (id: number, bytes: Buffer): Buffer => {
  const header = Buffer.alloc(5);
  header.writeUInt32BE(id, 1);
  return Buffer.concat([header, bytes]);
};

const register = async (subject: string, schema: object): Promise<number> => {
  const registry = new SchemaRegistry({ host: inject("registry") });
  const { id } = await registry.register({ type: SchemaType.AVRO, schema: JSON.stringify(schema) }, { subject });
  return id;
};

const PROTOBUF = `syntax = "proto3"; package erp; message Order { int64 order_no = 1; string name = 2; }`;

const decoderAt = (url: string) => {
  const schemas = createSchemaSource(schemaRegistryConfig.parse({ url }), { clock: systemClock, emit: () => {} });
  return createDecoder(new Map([[TOPIC, { format: "debezium-avro" }]]), { schemas });
};

describe("a real schema registry", () => {
  test("gives the schema of a captured record once, also when the table changes in mid-stream", async () => {
    const keyId = await register("amounts-key", keySchema);
    const id = await register("amounts-value", valueSchema);
    const decoder = decoderAt(inject("registry"));
    const before = aRecord(framed(id, VALUE), framed(keyId, KEY));

    const first = changeOf(await decoder.decode(before));
    expect(first.key).toEqual({ id: 1 });
    expect({ ...first.after }).toEqual(vector?.expect.after);
    expect(decoder.decode(before)).not.toBeInstanceOf(Promise);

    const evolved = withNote();
    const evolvedId = await register("amounts-value", evolved);
    const envelope = typeOf(valueSchema).fromBuffer(VALUE);
    envelope.after.note = "new column";
    const after = aRecord(framed(evolvedId, typeOf(evolved).toBuffer(envelope)), framed(keyId, KEY));
    expect({ ...changeOf(await decoder.decode(after)).after }).toEqual({ ...first.after, note: "new column" });
    expect({ ...changeOf(await decoder.decode(before)).after }).toEqual({ ...first.after });
  });

  test("an id that it never gave makes an old record a dead letter", async () => {
    const decoder = decoderAt(inject("registry"));
    const record = { ...aRecord(framed(999_999, VALUE), null), timestampMs: systemClock.now() - 60_000 };
    expect(reasonOf(await decoder.decode(record))).toBe("schema-unknown");
  });

  test("that is away makes the record wait", async () => {
    const decoder = decoderAt("http://127.0.0.1:9/apis/ccompat/v7");
    await expect(decoder.decode(aRecord(framed(1, VALUE), null))).rejects.toMatchObject({
      code: "REGISTRY_UNREACHABLE",
      retriable: true,
    });
  });
});

test("a topic that turns out to be Protobuf stands still and says so; nothing of it is lost, and other topics go on", async () => {
  await using world = await World.create({ partitions: 1 });
  const registry = new SchemaRegistry({ host: inject("registry") });
  const subject = `${world.orders}-value`;
  const { id } = await registry.register({ type: SchemaType.PROTOBUF, schema: PROTOBUF }, { subject });
  for (const name of ["one", "two"])
    await world.erp.writeRaw(
      world.orders,
      '{"order_no":1}',
      framed(id, Buffer.from([0, 8, 1, 18, 3, ...Buffer.from(name)])),
    );
  const fields = { name: "name" };
  const replica = await world.start("a", {
    schemaRegistry: { url: inject("registry") },
    routes: [
      { topic: world.customers, format: "debezium-json", entity: "accounts", key: "id", fields },
      { topic: world.orders, format: "debezium-avro", keyEncoding: "json", entity: "deals", key: "order_no", fields },
    ],
  });
  await replica.until(() => replica.said("record-stalled").length > 0, "it says that it cannot go on");
  await world.writeCustomers(1, 20);
  await replica.until(
    async () => (await world.lag(world.customers)) === 0n,
    "the other topic is written and committed",
  );

  const [said] = replica.said("record-stalled");
  expect(said).toMatchObject({ level: "error", topic: world.orders, partition: 0, code: "SCHEMA_OF_OTHER_KIND" });
  for (const words of [world.orders, "Protobuf", `schema ${id} (subject ${subject})`, "value.converter"])
    expect(said?.msg).toContain(words);
  expect(await replica.metric("sell_sink_decode_stalls_total")).toBeGreaterThan(0);
  expect([await world.lag(world.orders), (await world.ledgers()).deadLetters]).toEqual([2n, []]);
  expect((await replica.stop()).code).toBe(0);
  expect(await world.lag(world.orders)).toBe(2n);
});
