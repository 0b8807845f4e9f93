/** A real HTTP server that answers as registries do, and a decoder that asks it. */
import http from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { afterEach } from "vitest";
import { type SchemaRegistryConfig, schemaRegistryConfig } from "../../../src/decode/config.ts";
import { createDecoder } from "../../../src/decode/decoder.ts";
import type { Encoding } from "../../../src/decode/encoding.ts";
import { createSchemaSource } from "../../../src/decode/schema-source.ts";
import type { Decoded } from "../../../src/domain/change.ts";
import type { RecordHeader } from "../../../src/domain/record.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { aRecord, TOPIC } from "./support.ts";

export const KEY = { type: "record", name: "Key", fields: [{ name: "id", type: "long" }] };

export type Answer = { readonly status: number; readonly body: string; readonly type?: string } | "silence";

export const found = (schema: object): Answer => ({ status: 200, body: JSON.stringify(schema) });
export const FOUND = found({ schema: JSON.stringify(KEY) });
export const MISSING: Answer = { status: 404, body: '{"error_code":40403,"message":"Schema 7 not found"}' };

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

export interface Registry {
  readonly url: string;
  readonly requests: http.IncomingMessage[];
  /** What was sent with them. */
  readonly bodies: string[];
  answer: Answer | ((path: string) => Answer);
}

export const startRegistry = async (answer: Registry["answer"]): Promise<Registry> => {
  const registry = { url: "", requests: [] as http.IncomingMessage[], bodies: [] as string[], answer };
  const server = http.createServer(async (request, response) => {
    registry.requests.push(request);
    registry.bodies.push(await text(request));
    const answer = typeof registry.answer === "function" ? registry.answer(request.url ?? "") : registry.answer;
    if (answer !== "silence")
      response.writeHead(answer.status, answer.type ? { "content-type": answer.type } : {}).end(answer.body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closers.push(() => {
    server.closeAllConnections();
    server.close();
  });
  registry.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return registry;
};

/** A decoder of keys: each record is a tombstone of the row with id 3. */
export const startDecoder = (config: Partial<SchemaRegistryConfig> & { readonly url: string }, encoding?: Encoding) => {
  const clock = new FakeClock();
  const said: string[] = [];
  const schemas = createSchemaSource(schemaRegistryConfig.parse(config), {
    clock,
    emit: (name, fields) => said.push(`${name} ${JSON.stringify(fields)}`),
  });
  const decoder = createDecoder(new Map([[TOPIC, { format: "debezium-avro" as const, encoding }]]), { schemas });
  const tombstone = ({ id = 7, ageMs = 60_000 } = {}) => {
    const record = aRecord(null, Buffer.from([0, 0, 0, 0, id, 6]));
    return decoder.decode({ ...record, timestampMs: clock.now() - ageMs });
  };
  const decode = (key: Buffer, headers: readonly RecordHeader[] = []) =>
    decoder.decode({ ...aRecord(null, key, headers), timestampMs: clock.now() - 60_000 });
  return { clock, said, tombstone, decode };
};

export const failureOf = async (decoded: Decoded | Promise<Decoded>) =>
  Promise.resolve(decoded).then(
    (value) => ({ code: `decoded ${value.status}`, message: "", retriable: false }),
    ({ code, message, retriable }) => ({ code, message, retriable }),
  );
