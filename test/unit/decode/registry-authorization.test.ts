/** Who asks a registry, over real HTTP: every request of a schema says so, and no sentence does. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import type { SchemaRegistryConfig } from "../../../src/decode/config.ts";
import { type Answer, FOUND, failureOf, found, type Registry, startDecoder, startRegistry } from "./fake-registry.ts";
import { changeOf } from "./support.ts";

const SECRET = "s3cret-of-the-client";

/** A token endpoint that numbers its tokens, which live for 100 seconds. */
const startProvider = () => {
  let issued = 0;
  return startRegistry(() => found({ access_token: `token-${++issued}`, token_type: "Bearer", expires_in: 100 }));
};

const startOauth = async ({ answer = FOUND as Answer, oauth = {} } = {}) => {
  const registry = await startRegistry(answer);
  const provider = await startProvider();
  const credentials = {
    tokenUrl: `${provider.url}/token?key=${SECRET}`,
    clientId: "erp",
    clientSecret: SECRET,
    ...oauth,
  };
  return { registry, provider, ...startDecoder({ url: registry.url, oauth: credentials, timeoutMs: 1_000 }) };
};

/** A key whose schema has this id; the row's id is 3. */
const keyWith = (id: number) => Buffer.from([0, 0, 0, 0, id, 6]);

const tokensOf = (registry: Registry) => registry.requests.map(({ headers }) => headers.authorization);

describe("OAuth client credentials", () => {
  test("one token serves all schemas, and is renewed before it expires", async () => {
    const { registry, provider, clock, decode } = await startOauth({ oauth: { scope: "schemas:read" } });
    const decoded = await Promise.all([1, 2, 3].map(async (id) => decode(keyWith(id))));
    for (const one of decoded) expect(changeOf(one).key).toEqual({ id: 3 });
    clock.advance(79_000);
    await decode(keyWith(4));
    clock.advance(2_000);
    await decode(keyWith(5));
    expect(tokensOf(registry)).toEqual([...Array(4).fill("Bearer token-1"), "Bearer token-2"]);
    expect(provider.requests).toHaveLength(2);
    expect(provider.bodies[0]).toBe("grant_type=client_credentials&scope=schemas%3Aread");
    const basic = tokensOf(provider)[0]?.replace("Basic ", "") ?? "";
    expect(Buffer.from(basic, "base64").toString()).toBe(`erp:${SECRET}`);
  });

  test("Confluent Cloud is told the registry and the identity pool", async () => {
    const { registry, tombstone } = await startOauth({ oauth: { logicalCluster: "lsrc-1", identityPoolId: "pool-2" } });
    await tombstone();
    expect(registry.requests[0]?.headers).toMatchObject({
      "target-sr-cluster": "lsrc-1",
      "confluent-identity-pool-id": "pool-2",
    });
  });

  test("a token that the registry refuses is not used again", async () => {
    const { registry, tombstone } = await startOauth({ answer: { status: 401, body: '{"message":"expired"}' } });
    expect(await failureOf(tombstone())).toMatchObject({ code: "REGISTRY_REFUSED", retriable: true });
    registry.answer = FOUND;
    expect(changeOf(await tombstone()).key).toEqual({ id: 3 });
    expect(tokensOf(registry)).toEqual(["Bearer token-1", "Bearer token-2"]);
  });

  test("a provider that is away costs nothing while the old token lives", async () => {
    const { registry, provider, clock, decode } = await startOauth();
    await decode(keyWith(1));
    provider.answer = { status: 503, body: "{}" };
    clock.advance(90_000);
    expect(changeOf(await decode(keyWith(2))).key).toEqual({ id: 3 });
    clock.advance(11_000);
    expect(await failureOf(decode(keyWith(3)))).toMatchObject({ code: "REGISTRY_UNREACHABLE", retriable: true });
    expect(registry.requests).toHaveLength(2);
  });

  test.each<readonly [string, string, Answer]>([
    ["REGISTRY_REFUSED", "invalid_client", { status: 401, body: `{"error":"invalid_client","hint":"${SECRET}"}` }],
    ["REGISTRY_REFUSED", "status 400", { status: 400, body: `{"error":"${SECRET}"}` }],
    ["REGISTRY_UNREACHABLE", "status 200", { status: 200, body: "<html>log in</html>" }],
    ["REGISTRY_UNREACHABLE", "status 302", { status: 302, body: "" }],
    ["REGISTRY_UNREACHABLE", "status 429", { status: 429, body: "{}" }],
    ["REGISTRY_UNREACHABLE", "time", "silence"],
  ])("%s and %s where no token comes: %j", async (code, cause, answer) => {
    const { provider, registry, said, tombstone } = await startOauth();
    provider.answer = answer;
    const failure = await failureOf(tombstone());
    expect(failure).toMatchObject({ code, retriable: true });
    for (const words of [cause, `${provider.url}/token`, "schema 7", registry.url])
      expect(failure.message).toContain(words);
    expect(failure.message + said.join()).not.toContain(SECRET);
    expect(registry.requests).toHaveLength(0);
  });
});

describe("a bearer token", () => {
  test("of a file is the one that stands there now, for ids that are no numbers too", async () => {
    const folder = mkdtempSync(join(tmpdir(), "token-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const path = join(folder, "token");
    const registry = await startRegistry(FOUND);
    const { decode } = startDecoder({ url: registry.url, token: `file:${path}` });
    expect(await failureOf(decode(keyWith(1)))).toMatchObject({
      code: "REGISTRY_REFUSED",
      message: expect.stringContaining(`${path} cannot be read: ENOENT`),
    });
    writeFileSync(path, "first\n");
    await decode(keyWith(1));
    writeFileSync(path, "second\n");
    await decode(keyWith(2));
    expect(tokensOf(registry)).toEqual(["Bearer first", "Bearer second"]);
    const header: [string, Buffer] = ["__key_schema_id", Buffer.from(`01${"00".repeat(16)}`, "hex")];
    const byGuid = startDecoder({ url: registry.url, token: `file:${path}` }, "confluent-avro-guid-header");
    await byGuid.decode(Buffer.from([6]), [header]);
    expect(tokensOf(registry).at(-1)).toBe("Bearer second");
  });

  test("that is none is said without showing it", async () => {
    const registry = await startRegistry(FOUND);
    const { tombstone } = startDecoder({ url: registry.url, token: `two\n${SECRET}` });
    const { code, message } = await failureOf(tombstone());
    expect(code).toBe("REGISTRY_REFUSED");
    expect(message).toContain("schemaRegistry.token holds no token");
    expect(message).not.toContain(SECRET);
  });
});

test.each<Partial<SchemaRegistryConfig>>([
  { username: "ada", password: SECRET },
  { token: SECRET },
  { headers: { "X-Api-Key": SECRET } },
])("a refusal names id, subject and address, and nothing of %j", async (credential) => {
  const registry = await startRegistry({ status: 403, body: JSON.stringify({ message: `no ${SECRET}` }) });
  const { said, tombstone } = startDecoder({ url: registry.url, ...credential });
  const { code, message } = await failureOf(tombstone());
  expect(code).toBe("REGISTRY_REFUSED");
  for (const words of ["schema 7", "erp.sales.customers-key", registry.url, "status 403"])
    expect(message).toContain(words);
  expect(message + said.join()).not.toContain(SECRET);
});
