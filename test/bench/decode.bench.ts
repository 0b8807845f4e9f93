/**
 * CPU time to decode one record, beside the `JSON.parse` of the same text, which is the floor of any decoder of JSON.
 * Run: `npx -c 'node test/bench/decode.bench.ts'`. Nothing asserts on it.
 */
import { parseExactJson } from "../../src/decode/exact-json.ts";
import { aRecord, decoderOf } from "../unit/decode/support.ts";
import vectors from "../unit/decode/vectors.json" with { type: "json" };

const ROUNDS = 20_000;

const vector = (wanted: string) => {
  const found = vectors.find(({ name }) => name === wanted);
  if (found === undefined) throw new Error(`no vector ${wanted}`);
  return found;
};

/** Best of five: what the machine can do, not what else ran on it. */
const microsOf = (run: () => unknown): number => {
  const micros = Array.from({ length: 5 }, () => {
    const before = process.cpuUsage();
    for (let round = 0; round < ROUNDS; round++) run();
    const { user, system } = process.cpuUsage(before);
    return (user + system) / ROUNDS;
  });
  return Math.min(...micros);
};

const report = (name: string, bytes: number, micros: number, floor: number): void =>
  console.log(
    `${name.padEnd(34)} ${String(bytes).padStart(6)} B ${micros.toFixed(2).padStart(7)} us  ${(micros / floor).toFixed(1)} x JSON.parse`,
  );

const benchJson = (name: string, title: string): void => {
  const { keyJson, valueJson, hints = {} } = vector(name);
  const record = aRecord(valueJson ?? "", keyJson);
  const text = valueJson ?? "";
  const decode = decoderOf({ format: "debezium-json", hints: hints as Record<string, string> });
  const parse = microsOf(() => JSON.parse(text));
  report(`${title}: JSON.parse`, record.value?.length ?? 0, parse, parse);
  report(
    `${title}: exact parse`,
    record.value?.length ?? 0,
    microsOf(() => parseExactJson(text)),
    parse,
  );
  report(
    `${title}: decode`,
    record.value?.length ?? 0,
    microsOf(() => decode(record)),
    parse,
  );
};

const benchAvro = (name: string, title: string): void => {
  const { keyBase64 = "", valueBase64 = "", schemas = {} } = vector(name);
  const decode = decoderOf({ format: "debezium-avro" }, schemas);
  const record = aRecord(Buffer.from(valueBase64 ?? "", "base64"), Buffer.from(keyBase64 ?? "", "base64"));
  const parse = microsOf(() => JSON.parse(vector("pg-json-create").valueJson ?? ""));
  report(
    `${title}: decode`,
    record.value?.length ?? 0,
    microsOf(() => decode(record)),
    parse,
  );
};

console.log(`node ${process.version}, ${ROUNDS} records a run, CPU time`);
benchJson("pg-json-create", "JSON without schema");
benchJson("pg-jsonschema-create", "JSON with schema");
benchJson("types-misc-base64-string-and-map", "JSON with schema, many types");
benchAvro("pg-delete-avro", "Avro");
