/**
 * What it costs to read one record, in CPU time, beside what it is measured against: `JSON.parse` and a walk over every
 * property for JSON, the registry's own client for Avro. Part of `npm run bench`; alone: `npx -c 'node test/bench/decode.bench.ts'`.
 * Nothing asserts on it.
 */
import http from "node:http";
import type { AddressInfo } from "node:net";
import { SchemaRegistry, SchemaType } from "@kafkajs/confluent-schema-registry";
import avsc from "avsc";
import Table from "cli-table3";
import { confluentFraming } from "../../src/decode/avro-framing.ts";
import { createAvroReader } from "../../src/decode/avro-reader.ts";
import { schemaRegistryConfig } from "../../src/decode/config.ts";
import { createDecoder } from "../../src/decode/decoder.ts";
import { parseExactJson } from "../../src/decode/exact-json.ts";
import { createSchemaSource } from "../../src/decode/schema-source.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { aRecord, decoderOf, TOPIC } from "../unit/decode/support.ts";
import vectors from "../unit/decode/vectors.json" with { type: "json" };

const ROUNDS = 20_000;
const TRIES = 7;

const vector = (wanted: string) => {
  const found = vectors.find(({ name }) => name === wanted);
  if (found === undefined) throw new Error(`no vector ${wanted}`);
  return found;
};

/** Every run a few times in turn, and of each the best: what the machine can do, not what else ran on it. */
const microsOf = async (runs: readonly (() => unknown)[]): Promise<readonly number[]> => {
  const best = runs.map(() => Number.POSITIVE_INFINITY);
  for (let round = 0; round < TRIES; round++) {
    for (const [at, run] of runs.entries()) {
      const before = process.cpuUsage();
      if (run() instanceof Promise) for (let i = 1; i < ROUNDS; i++) await run();
      else for (let i = 1; i < ROUNDS; i++) run();
      const { user, system } = process.cpuUsage(before);
      best[at] = Math.min(best[at] ?? 0, (user + system) / ROUNDS);
    }
  }
  return best;
};

/** Looks at every property, as any consumer of the parsed text does. */
const walk = (value: unknown): number => {
  if (typeof value !== "object" || value === null) return 1;
  let seen = 0;
  for (const name in value) seen += walk((value as Record<string, unknown>)[name]);
  return seen;
};

const table = new Table({
  head: ["", "bytes", "us", "speed", "wanted"],
  colAligns: ["left", "right", "right", "right", "right"],
});

/** The first run is the measure; `wanted` is the least speed as a part of its speed. */
const compare = async (
  title: string,
  bytes: number,
  runs: readonly (readonly [name: string, run: () => unknown, wanted?: number])[],
): Promise<void> => {
  const micros = await microsOf(runs.map(([, run]) => run));
  const [measure = 0] = micros;
  table.push([{ colSpan: 5, content: title }]);
  for (const [at, [name, , wanted]] of runs.entries()) {
    const us = micros[at] ?? 0;
    table.push([`  ${name}`, bytes, us.toFixed(2), (measure / us).toFixed(2), wanted?.toFixed(2) ?? ""]);
  }
};

const compareJson = (title: string, text: string, wanted: number): Promise<void> => {
  const record = aRecord(text, '{"id":1002}');
  const decode = decoderOf({ format: "debezium-json", hints: { credit_limit: "decimal(2)" } });
  return compare(title, record.value?.length ?? 0, [
    ["JSON.parse, every property", () => walk(JSON.parse(text))],
    ["exact scanner, every property", () => walk(parseExactJson(text)), wanted],
    ["decoder: from the bytes of key and value to the change", () => decode(record)],
  ]);
};

/** A registry that has the schemas of one vector. */
const serve = async (schemas: Readonly<Record<string, unknown>>) => {
  const server = http.createServer((request, response) => {
    const schema = JSON.stringify(schemas[request.url?.split("/").at(-1) ?? ""]);
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ schema }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const close = () => {
    server.close();
    server.closeAllConnections();
  };
  return { url: `http://127.0.0.1:${port}`, [Symbol.dispose]: close };
};

/** Debezium's clocks in nanoseconds exceed 2^53, where the client by itself throws. */
const bigLong = avsc.types.LongType.__with({
  fromBuffer: (bytes: Buffer) => bytes.readBigInt64LE(),
  toBuffer: () => Buffer.alloc(8),
  fromJSON: BigInt,
  toJSON: Number,
  isValid: (long: unknown) => typeof long === "bigint",
  compare: (a: bigint, b: bigint) => (a < b ? -1 : a > b ? 1 : 0),
});

const compareAvro = async (title: string, name: string): Promise<void> => {
  const { keyBase64, valueBase64, schemas = {} } = vector(name);
  const record = aRecord(Buffer.from(valueBase64 ?? "", "base64"), Buffer.from(keyBase64 ?? "", "base64"));
  const { key, value } = record;
  if (key === null || value === null) throw new Error(`${name} has no key or no value`);
  using registry = await serve(schemas);
  const typeHook = (part: unknown) => (part === "long" ? bigLong : undefined) as avsc.Type;
  const client = new SchemaRegistry({ host: registry.url }, { [SchemaType.AVRO]: { typeHook } });
  await Promise.all([client.decode(key), client.decode(value)]);
  const source = createSchemaSource(schemaRegistryConfig.parse({ url: registry.url }), {
    clock: systemClock,
    emit: () => {},
  });
  const decoder = createDecoder(new Map([[TOPIC, { format: "debezium-avro" }]]), { schemas: source });
  await decoder.decode(record);
  const readKey = createAvroReader(source, confluentFraming, "key");
  const readValue = createAvroReader(source, confluentFraming, "value");
  await compare(title, value.length, [
    ["registry client: key and value to objects", async () => [await client.decode(key), await client.decode(value)]],
    ["exact reader: key and value to objects", () => [readKey(key, record), readValue(value, record)], 1],
    ["decoder: from the bytes of key and value to the change", () => decoder.decode(record)],
  ]);
};

const envelope = vector("pg-json-create").valueJson ?? "";
const shortNumbers = envelope.replace(/"ts_[un]s":\d+,?/g, "").replaceAll(",}", "}");
if (/\d{16}/.test(shortNumbers)) throw new Error("a number has 16 digits");

await compareJson("Debezium 3 envelope", envelope, 0.25);
await compareJson("the same without a number of 16 digits", shortNumbers, 0.5);
await compareJson("with its schema", vector("pg-jsonschema-create").valueJson ?? "", 0.25);
await compareAvro("Avro, amounts", "decimal-precise-avro");
await compareAvro("Avro, dates and times", "time-adaptive-avro");
await compareAvro("Avro, lists, maps, bytes", "types-misc-avro");
console.log(`Reading one record: node ${process.version}, CPU time, best of ${TRIES} x ${ROUNDS} records`);
console.log(table.toString());
