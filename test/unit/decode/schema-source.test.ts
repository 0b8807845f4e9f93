/** The registry's client against a real HTTP server that says what registries and what stands before them say. */
import http from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { type SchemaRegistryConfig, schemaRegistryConfig } from "../../../src/decode/config.ts";
import { createDecoder } from "../../../src/decode/decoder.ts";
import type { Encoding } from "../../../src/decode/encoding.ts";
import { createSchemaSource } from "../../../src/decode/schema-source.ts";
import type { Decoded } from "../../../src/domain/change.ts";
import type { RecordHeader } from "../../../src/domain/record.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { aRecord, changeOf, reasonOf, TOPIC } from "./support.ts";

const KEY = { type: "record", name: "Key", fields: [{ name: "id", type: "long" }] };

type Answer = { readonly status: number; readonly body: string } | "silence";

const found = (schema: object): Answer => ({ status: 200, body: JSON.stringify(schema) });
const FOUND = found({ schema: JSON.stringify(KEY) });
const MISSING: Answer = { status: 404, body: '{"error_code":40403,"message":"Schema 7 not found"}' };

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

interface Registry {
  readonly url: string;
  readonly requests: http.IncomingMessage[];
  answer: Answer | ((path: string) => Answer);
}

const startRegistry = async (answer: Registry["answer"]): Promise<Registry> => {
  const registry = { url: "", requests: [] as http.IncomingMessage[], answer };
  const server = http.createServer((request, response) => {
    registry.requests.push(request);
    const answer = typeof registry.answer === "function" ? registry.answer(request.url ?? "") : registry.answer;
    if (answer !== "silence") response.writeHead(answer.status).end(answer.body);
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
const startDecoder = (config: Partial<SchemaRegistryConfig> & { readonly url: string }, encoding?: Encoding) => {
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

const failureOf = async (decoded: Decoded | Promise<Decoded>) =>
  Promise.resolve(decoded).then(
    (value) => ({ code: `decoded ${value.status}`, message: "", retriable: false }),
    ({ code, message, retriable }) => ({ code, message, retriable }),
  );

describe("schemas from the registry", () => {
  test("are asked for once; then decoding is synchronous", async () => {
    const registry = await startRegistry(FOUND);
    const { tombstone } = startDecoder({ url: registry.url });
    const cold = [tombstone(), tombstone(), tombstone()];
    expect(cold.every((decoded) => decoded instanceof Promise)).toBe(true);
    for (const decoded of await Promise.all(cold.map(async (decoded) => decoded)))
      expect(changeOf(decoded).key).toEqual({ id: 3 });
    expect(tombstone()).toMatchObject({ status: "changes" });
    expect(registry.requests.map(({ url }) => url)).toEqual(["/schemas/ids/7"]);
  });

  test("that refer to other schemas are read with them", async () => {
    const money = {
      type: "fixed",
      name: "erp.Money",
      size: 1,
      "connect.name": "org.apache.kafka.connect.data.Decimal",
    };
    const key = { type: "record", name: "Key", fields: [{ name: "id", type: "erp.Money" }] };
    const references = [{ name: "erp.Money", subject: "money", version: 1 }];
    const registry = await startRegistry((path) =>
      path.startsWith("/schemas")
        ? found({ schema: JSON.stringify(key), references })
        : found({ schema: JSON.stringify(money), subject: "money", version: 1, id: 3 }),
    );
    expect(changeOf(await startDecoder({ url: registry.url }).tombstone()).key).toEqual({ id: "6" });
  });

  test("an unknown id of an old record is a dead letter, and costs one request in 30 seconds", async () => {
    const registry = await startRegistry(MISSING);
    const { clock, tombstone } = startDecoder({ url: registry.url });
    expect(reasonOf(await tombstone())).toBe("schema-unknown");
    for (let record = 0; record < 5; record++) expect(reasonOf(await tombstone())).toBe("schema-unknown");
    expect(registry.requests).toHaveLength(1);
    clock.advance(30_000);
    registry.answer = FOUND;
    expect(changeOf(await tombstone()).key).toEqual({ id: 3 });
  });

  test("an unknown id of a new record waits for a replica that is behind, at most 30 seconds", async () => {
    const registry = await startRegistry(MISSING);
    const { clock, tombstone } = startDecoder({ url: registry.url });
    for (let attempt = 0; attempt < 3; attempt++)
      expect(await failureOf(tombstone({ ageMs: 0 }))).toMatchObject({ code: "SCHEMA_NOT_FOUND_YET", retriable: true });
    expect(registry.requests).toHaveLength(1);
    clock.advance(30_001);
    expect(reasonOf(await tombstone({ ageMs: 0 }))).toBe("schema-unknown");
    expect(registry.requests).toHaveLength(2);
  });

  test("of another kind than Avro make the record a dead letter", async () => {
    const registry = await startRegistry(
      found({ schemaType: "PROTOBUF", schema: 'syntax = "proto3"; message A { string b = 1; }' }),
    );
    expect(reasonOf(await startDecoder({ url: registry.url }).tombstone())).toBe("shape-mismatch");
    registry.answer = found({ schema: '{"type":"record","name":"Key"}' });
    expect(reasonOf(await startDecoder({ url: registry.url }).tombstone())).toBe("shape-mismatch");
  });
});

describe("a registry that does not answer makes records wait, never dead letters", () => {
  test.each([
    ["REGISTRY_UNREACHABLE", { status: 503, body: '{"message":"starting"}' }],
    ["REGISTRY_UNREACHABLE", { status: 429, body: '{"message":"slow down"}' }],
    ["REGISTRY_UNREACHABLE", { status: 404, body: "<html>no such page</html>" }],
    ["REGISTRY_UNREACHABLE", { status: 200, body: "<html>maintenance</html>" }],
    ["REGISTRY_UNREACHABLE", "silence" as const],
    ["REGISTRY_REFUSED", { status: 401, body: '{"message":"Unauthorized"}' }],
    ["REGISTRY_REFUSED", { status: 403, body: '{"message":"Forbidden"}' }],
  ])("%s after %j", async (code, answer) => {
    const registry = await startRegistry(answer);
    const { said, tombstone } = startDecoder({ url: registry.url, timeoutMs: 100 });
    const failure = await failureOf(tombstone());
    expect(failure).toMatchObject({ code, retriable: true });
    expect(failure.message).toContain(`${registry.url} `);
    expect(failure.message).toContain("schema 7");
    expect(said).toHaveLength(1);
    registry.answer = FOUND;
    expect(changeOf(await tombstone()).key).toEqual({ id: 3 });
  });

  test("also when nobody listens", async () => {
    expect(await failureOf(startDecoder({ url: "http://127.0.0.1:9" }).tombstone())).toMatchObject({
      code: "REGISTRY_UNREACHABLE",
      retriable: true,
    });
  });

  test("credentials and headers travel, and never stand in a message", async () => {
    const registry = await startRegistry({ status: 401, body: "{}" });
    const url = registry.url.replace("//", "//ada:s3cret@");
    const { said, tombstone } = startDecoder({ url, headers: { "X-Tenant": "erp" } });
    const { message } = await failureOf(tombstone());
    expect(message + said.join()).not.toContain("s3cret");
    const { authorization, "x-tenant": tenant } = registry.requests[0]?.headers ?? {};
    expect(Buffer.from(authorization?.split(" ")[1] ?? "", "base64").toString()).toBe("ada:s3cret");
    expect(tenant).toBe("erp");
  });
});

describe("schemas by ids that are no numbers", () => {
  const GUID = "00112233-4455-6677-8899-aabbccddeeff";
  const GUID_HEADER: RecordHeader = ["__key_schema_id", Buffer.from(`01${GUID.replaceAll("-", "")}`, "hex")];
  const DATUM = Buffer.from([6]);
  const EIGHT = Buffer.from([0, 0, 0, 0, 0, 0, 0, 0, 7, 6]);

  test("a GUID is asked for once, with what its schema refers to", async () => {
    const money = { type: "fixed", name: "erp.Money", size: 1, logicalType: "decimal", scale: 0 };
    const key = { type: "record", name: "Key", fields: [{ name: "id", type: "erp.Money" }] };
    const references = [{ name: "erp.Money", subject: "money", version: 2 }];
    const registry = await startRegistry((path) =>
      found(
        path.startsWith("/schemas") ? { schema: JSON.stringify(key), references } : { schema: JSON.stringify(money) },
      ),
    );
    const { decode } = startDecoder({ url: registry.url }, "confluent-avro-guid-header");
    for (const decoded of await Promise.all([decode(DATUM, [GUID_HEADER]), decode(DATUM, [GUID_HEADER])]))
      expect(changeOf(decoded).key).toEqual({ id: "6" });
    expect(registry.requests.map(({ url }) => url)).toEqual([`/schemas/guids/${GUID}`, "/subjects/money/versions/2"]);
  });

  test("a schema that refers to ever more of them ends as unanswered, not in a loop", async () => {
    const registry = await startRegistry(() =>
      found({ schema: "{}", references: [{ subject: `s${registry.requests.length}`, version: 1 }] }),
    );
    const { decode } = startDecoder({ url: registry.url }, "confluent-avro-guid-header");
    expect(await failureOf(decode(DATUM, [GUID_HEADER]))).toMatchObject({ code: "REGISTRY_UNREACHABLE" });
    expect(registry.requests.length).toBeLessThanOrEqual(102);
  });

  test.each([
    ["/apis/ccompat/v7", "/apis/registry/v2", "/apis/registry/v2/groups/default/artifacts/money%2F1/versions/2"],
    [
      "/apis/registry/v3",
      "/apis/registry/v3",
      "/apis/registry/v3/groups/default/artifacts/money%2F1/versions/2/content",
    ],
  ])("of Apicurio are found beside %s, with what they refer to", async (path, api, reference) => {
    const money = { type: "fixed", name: "erp.Money", size: 1, logicalType: "decimal", scale: 0 };
    const key = { type: "record", name: "Key", fields: [{ name: "id", type: "erp.Money" }] };
    const registry = await startRegistry((path) => {
      if (path.includes("/groups/")) return found(money);
      return found(path.endsWith("/references") ? [{ groupId: null, artifactId: "money/1", version: "2" }] : key);
    });
    const { decode } = startDecoder({ url: registry.url + path, apicurioIds: "contentId" }, "apicurio-avro-8");
    expect(changeOf(await decode(EIGHT)).key).toEqual({ id: "6" });
    const asked = registry.requests.map(({ url }) => url?.split("?")[0]);
    expect(asked).toEqual([`${api}/ids/contentIds/7`, `${api}/ids/contentIds/7/references`, reference]);
  });

  test("of Apicurio's globalIds come whole", async () => {
    const registry = await startRegistry(found(KEY));
    const { decode } = startDecoder({ url: `${registry.url}/apis/ccompat/v7` }, "apicurio-avro-8");
    expect(changeOf(await decode(EIGHT)).key).toEqual({ id: 3 });
    expect(registry.requests.map(({ url }) => url?.split("?")[0])).toEqual(["/apis/registry/v2/ids/globalIds/7"]);
  });

  test.each<readonly [string, Answer]>([
    ["REGISTRY_UNREACHABLE", { status: 503, body: "{}" }],
    ["REGISTRY_UNREACHABLE", { status: 404, body: "<html>no such page</html>" }],
    ["REGISTRY_UNREACHABLE", { status: 200, body: "<html>maintenance</html>" }],
    ["REGISTRY_UNREACHABLE", { status: 302, body: "{}" }],
    ["REGISTRY_UNREACHABLE", "silence"],
    ["REGISTRY_REFUSED", { status: 401, body: "{}" }],
  ])("%s after %j: the record waits", async (code, answer) => {
    const registry = await startRegistry(answer);
    const { decode, said } = startDecoder({ url: registry.url, timeoutMs: 100 }, "apicurio-avro-8");
    expect(await failureOf(decode(EIGHT))).toMatchObject({ code, retriable: true });
    expect(said).toHaveLength(1);
    registry.answer = found(KEY);
    expect(changeOf(await decode(EIGHT)).key).toEqual({ id: 3 });
  });

  test("that the registry does not have make an old record a dead letter; credentials travel", async () => {
    const registry = await startRegistry({ status: 404, body: '{"error_code":404}' });
    const url = registry.url.replace("//", "//ada:s3cret@");
    const { decode } = startDecoder({ url, headers: { "X-Tenant": "erp" } }, "apicurio-avro-8");
    expect(reasonOf(await decode(EIGHT))).toBe("schema-unknown");
    const { authorization = "", "x-tenant": tenant } = registry.requests[0]?.headers ?? {};
    expect(Buffer.from(authorization.split(" ")[1] ?? "", "base64").toString()).toBe("ada:s3cret");
    expect(tenant).toBe("erp");
  });
});
