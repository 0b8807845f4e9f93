/** The registry's client against a real HTTP server that says what registries and what stands before them say. */
import { describe, expect, test } from "vitest";
import type { RecordHeader } from "../../../src/domain/record.ts";
import { type Answer, FOUND, failureOf, found, KEY, MISSING, startDecoder, startRegistry } from "./fake-registry.ts";
import { changeOf, reasonOf } from "./support.ts";

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
});

describe("a schema that is no Avro stalls its topic, and none of its records is a dead letter", () => {
  const PROTOBUF = found({ schemaType: "PROTOBUF", schema: 'syntax = "proto3"; message A { string b = 1; }' });

  test.each([
    ["PROTOBUF", PROTOBUF, "keys of erp.sales.customers are Protobuf", "key.converter"],
    ["PROTOBUF that nobody can parse", found({ schemaType: "PROTOBUF", schema: "}{" }), "are Protobuf", "new topic"],
    ["JSON", found({ schemaType: "JSON", schema: '{"nonsense":1,"$ref":"#/x"}' }), "JSON", "keyEncoding"],
    ["a kind to come", found({ schemaType: "XML", schema: "<a/>" }), "are XML", "new topic"],
  ])("%s", async (_, answer, kind, remedy) => {
    const registry = await startRegistry((path) =>
      path.endsWith("/versions") ? found([{ subject: "crm-key", version: 1 }]) : answer,
    );
    const { tombstone } = startDecoder({ url: registry.url });
    for (let attempt = 0; attempt < 3; attempt++) {
      const failure = await failureOf(tombstone());
      expect(failure).toMatchObject({ code: "SCHEMA_OF_OTHER_KIND", retriable: true });
      for (const words of [kind, remedy, "schema 7 (subject crm-key)", registry.url])
        expect(failure.message).toContain(words);
    }
    expect(registry.requests.map(({ url }) => url)).toEqual(["/schemas/ids/7", "/schemas/ids/7/versions"]);
  });

  test("its subject is the usual one where the registry does not tell", async () => {
    const registry = await startRegistry((path) => (path.endsWith("/versions") ? MISSING : PROTOBUF));
    const { message } = await failureOf(startDecoder({ url: registry.url }).tombstone());
    expect(message).toContain("schema 7 (by default subject erp.sales.customers-key)");
  });

  test.each([
    ["json", "PROTOBUF", "are Protobuf and not the JSON", "key.converter"],
    ["confluent-json-schema", "PROTOBUF", "are Protobuf and not the JSON", "key.converter"],
    ["confluent-json-schema", "AVRO", "are Avro and not the JSON", "keyEncoding: confluent-avro"],
  ] as const)("also where %s is expected and %s comes", async (encoding, schemaType, kind, remedy) => {
    const registry = await startRegistry(found({ schemaType, schema: JSON.stringify(KEY) }));
    const { tombstone } = startDecoder({ url: registry.url }, encoding);
    const failure = await failureOf(tombstone());
    expect(failure).toMatchObject({ code: "SCHEMA_OF_OTHER_KIND", retriable: true });
    for (const words of [kind, remedy]) expect(failure.message).toContain(words);
  });

  test("broken JSON under a JSON schema, or under an id that nobody gave, is a dead letter", async () => {
    const registry = await startRegistry(found({ schemaType: "JSON", schema: "{}" }));
    const { decode, clock } = startDecoder({ url: registry.url }, "confluent-json-schema");
    const broken = Buffer.from("\0\0\0\0\u0007{nonsense");
    for (let record = 0; record < 2; record++) expect(reasonOf(await decode(broken))).toBe("invalid-json");
    registry.answer = MISSING;
    expect(reasonOf(await decode(Buffer.from("\0\0\0\0\u0008{nonsense")))).toBe("invalid-json");
    clock.advance(60_000);
    expect(registry.requests.map(({ url }) => url)).toEqual([
      "/schemas/ids/7",
      "/schemas/ids/7/versions",
      "/schemas/ids/8",
    ]);
  });

  test("also by GUID, and by Apicurio's ids", async () => {
    const registry = await startRegistry(PROTOBUF);
    const byGuid = startDecoder({ url: registry.url }, "confluent-avro-guid-header");
    const header: RecordHeader = ["__key_schema_id", Buffer.from(`01${"00".repeat(16)}`, "hex")];
    expect(await failureOf(byGuid.decode(Buffer.from([6]), [header]))).toMatchObject({ code: "SCHEMA_OF_OTHER_KIND" });
    registry.answer = { status: 200, body: 'syntax = "proto3";', type: "application/x-protobuf" };
    const byApicurio = startDecoder({ url: registry.url }, "apicurio-avro-8");
    const failure = failureOf(byApicurio.decode(Buffer.from([0, 0, 0, 0, 0, 0, 0, 0, 7, 6])));
    expect(await failure).toMatchObject({ code: "SCHEMA_OF_OTHER_KIND" });
  });
});

describe("a schema that is valid for its writer is read, or stalls", () => {
  const keyOf = (type: unknown, more: object = {}) => ({
    ...{ type: "record", name: "Key" },
    fields: [{ name: "id", type, ...more }],
  });

  const fixed = (logical: object) => keyOf({ type: "fixed", name: "F", size: 1, logicalType: "decimal", ...logical });

  test.for<readonly [title: string, schema: object, key: unknown, datum?: readonly number[]]>([
    ["names with odd characters", { ...keyOf("long"), name: "CRONUS AG$Customer-Ü", namespace: "1 nav" }, { id: 3 }],
    [
      "a field with an odd name",
      { ...keyOf("long"), fields: [{ name: "Größe (m²)", type: "long" }] },
      { "Größe (m²)": 3 },
    ],
    [
      "a symbol with odd characters",
      keyOf({ type: "enum", name: "E", symbols: ["a", "b", "c", "d-é"] }),
      { id: "d-é" },
    ],
    ["a default that does not fit", keyOf("long", { default: "none" }), { id: 3 }],
    ["a default that no branch has", keyOf(["null", "long"], { default: 7 }), { id: 3 }, [2, 6]],
    ["a decimal without precision", fixed({ scale: 1 }), { id: "0.6" }],
    ["a decimal without scale", fixed({ precision: 3 }), { id: "6" }],
    ["a scale beyond the precision", fixed({ precision: 1, scale: 2 }), { id: "0.06" }],
    ["a decimal that is no bytes", keyOf({ type: "int", logicalType: "decimal", precision: 4, scale: 2 }), { id: 3 }],
    ["a decimal that is text", keyOf({ type: "string", logicalType: "decimal" }), { id: "1234" }, [8, 49, 50, 51, 52]],
    ["a logical type nobody knows", keyOf({ type: "long", logicalType: "fiscal-year", start: "April" }), { id: 3 }],
    ["a union that has a type twice", keyOf(["long", "long"]), { id: 3 }, [2, 6]],
    ["an error for a record", { ...keyOf("long"), type: "error" }, { id: 3 }],
    [
      "a schema that holds itself",
      { ...keyOf("long"), fields: [...keyOf("long").fields, { name: "next", type: ["null", "Key"] }] },
      { id: 3, next: { id: 1, next: null } },
      [6, 2, 2, 0],
    ],
    [
      "a full name, where the same one stands in the namespace too",
      {
        ...{ type: "record", name: "a.Key" },
        fields: [
          { name: "id", type: { type: "enum", name: "b.C", symbols: ["right"] } },
          { name: "at", type: { type: "enum", name: "a.b.C", symbols: ["wrong"] } },
          { name: "of", type: "b.C" },
        ],
      },
      { id: "right", at: "wrong", of: "right" },
      [0, 0, 0],
    ],
  ])("%s", async ([, schema, key, datum = [6]]) => {
    const registry = await startRegistry(found({ schema: JSON.stringify(schema) }));
    const { decode } = startDecoder({ url: registry.url });
    expect(changeOf(await decode(Buffer.from([0, 0, 0, 0, 7, ...datum]))).key).toEqual(key);
  });

  test.each<readonly [string, object, string]>([
    [
      "a decimal whose scale is no number",
      keyOf({ type: "bytes", logicalType: "decimal", scale: "two" }),
      "whole number of digits",
    ],
    ["a type that is nowhere defined", keyOf("erp.Money"), "type erp.Money is not defined"],
    ["a record without fields", { type: "record", name: "Key" }, "no fields"],
    ["a field that is none", { type: "record", name: "Key", fields: [null] }, "not an object"],
    ["a fixed type of half a byte", keyOf({ type: "fixed", name: "F", size: 0.5 }), "no size"],
    [
      "one nested without end",
      JSON.parse(`${'{"type":"array","items":'.repeat(2_000)}"int"${"}".repeat(2_000)}`),
      "deeper",
    ],
  ])("%s stalls, and says why", async (_, schema, why) => {
    const registry = await startRegistry((path) =>
      path.endsWith("/versions")
        ? found([{ subject: "crm-key", version: 1 }])
        : found({ schema: JSON.stringify(schema) }),
    );
    const { tombstone } = startDecoder({ url: registry.url });
    const failure = await failureOf(tombstone());
    expect(failure).toMatchObject({ code: "SCHEMA_UNUSABLE", retriable: true });
    for (const words of [why, "schema 7 (subject crm-key)", "erp.sales.customers", registry.url])
      expect(failure.message).toContain(words);
    expect(await failureOf(tombstone())).toEqual(failure);
    expect(registry.requests).toHaveLength(2);
  });

  test.each(["confluent-avro", "confluent-avro-guid-header"] as const)(
    "one that refers to a missing schema stalls (%s)",
    async (encoding) => {
      const references = [{ name: "erp.Money", subject: "money", version: 1 }];
      const schema = found({ schema: JSON.stringify(keyOf("erp.Money")), references });
      const registry = await startRegistry((path) => (path.startsWith("/schemas") ? schema : MISSING));
      const { decode } = startDecoder({ url: registry.url }, encoding);
      const header: RecordHeader = ["__key_schema_id", Buffer.from(`01${"00".repeat(16)}`, "hex")];
      const failure = await failureOf(
        encoding === "confluent-avro" ? decode(Buffer.from([0, 0, 0, 0, 7, 6])) : decode(Buffer.from([6]), [header]),
      );
      expect(failure).toMatchObject({ code: "REGISTRY_UNREACHABLE", retriable: true });
      expect(failure.message).toContain("refers to is missing");
    },
  );
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
    expect(failure.message).toContain("schema 7 (by default subject erp.sales.customers-key)");
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
