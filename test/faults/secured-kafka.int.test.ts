/** A broker that wants TLS and a login, by PLAIN and by SCRAM: `init` proposes from it, and what it writes connects again. */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { startKafka } from "../../src/demo/services/kafka.ts";
import type { LocalProcess } from "../../src/demo/services/local-process.ts";
import { Erp } from "../support/erp.ts";
import { type Certificates, certificates } from "../support/redis.ts";
import { runCli } from "../support/run-cli.ts";

const TOPIC = "erp.sales.customers";
const PASSWORD = "canary-password";
const ENV = { KAFKA_PASSWORD: PASSWORD, SELL_TOKEN: "token" };

let folder: string;
let certified: Certificates;
let kafka: LocalProcess;

/** The listener keeps its name, whatever it speaks. */
const secured = async ({ caFile, certFile, keyFile }: Certificates) => {
  const keystore = join(folder, "broker.pem");
  await writeFile(keystore, `${await readFile(keyFile, "utf8")}${await readFile(certFile, "utf8")}`);
  return {
    "listener.security.protocol.map": "PLAINTEXT:SASL_SSL,CONTROLLER:PLAINTEXT",
    "sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512",
    "sasl.mechanism.inter.broker.protocol": "PLAIN",
    "listener.name.plaintext.plain.sasl.jaas.config": `org.apache.kafka.common.security.plain.PlainLoginModule required username="broker" password="broker" user_broker="broker" user_erp="${PASSWORD}";`,
    "listener.name.plaintext.scram-sha-256.sasl.jaas.config": SCRAM_LOGIN,
    "listener.name.plaintext.scram-sha-512.sasl.jaas.config": SCRAM_LOGIN,
    "ssl.keystore.type": "PEM",
    "ssl.keystore.location": keystore,
    "ssl.truststore.type": "PEM",
    "ssl.truststore.location": caFile,
    "ssl.client.auth": "requested",
  };
};

const SCRAM_LOGIN = "org.apache.kafka.common.security.scram.ScramLoginModule required;";

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sell-sink-secured-"));
  certified = await certificates();
  const users = ["SCRAM-SHA-256", "SCRAM-SHA-512"].map((name) => `${name}=[name=erp,password=${PASSWORD}]`);
  kafka = await startKafka(
    {},
    { properties: await secured(certified), format: users.flatMap((user) => ["--add-scram", user]) },
  );
  await using erp = await Erp.connect(kafka.address, {
    tls: { caFile: certified.caFile },
    sasl: { mechanism: "scram-sha-256", username: "erp", password: PASSWORD },
  });
  await erp.createTopics([TOPIC, "erp.sales.sell-sink.dead-letters"], 1);
  await erp.write(TOPIC, [{ key: { id: 7 }, after: { id: 7, company_name: "Nordlicht" }, op: "c" }]);
});

afterAll(async () => {
  await kafka?.[Symbol.asyncDispose]();
  await certified?.[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

const aFile = async (name: string, text: string): Promise<string> => {
  const file = join(folder, name);
  await writeFile(file, text);
  return file;
};

const login = (mechanism: string, username = "erp"): string =>
  `sasl: { mechanism: ${mechanism}, username: ${username}, password: "\${KAFKA_PASSWORD}" } # ours`;

const reached = (...lines: readonly string[]): string =>
  [`kafka:`, `brokers: ["${kafka.address}"]`, ...lines].join("\n  ").concat("\n");

describe.each(["plain", "scram-sha-256", "scram-sha-512"])("by %s", (mechanism) => {
  test("init proposes from it, and validate and lag go by what it wrote", async () => {
    const tls = `tls: { caFile: ${certified.caFile}, certFile: ${certified.certFile}, keyFile: ${certified.keyFile} }`;
    const given = await aFile(`${mechanism}-given.yaml`, reached(tls, login(mechanism)));
    const file = join(folder, `${mechanism}.yaml`);
    const { code, out, err } = await runCli(["init", "--config", given, "--topic", TOPIC, "-o", file], ENV);
    expect({ code, err }).toEqual({ code: 0, err: expect.not.stringContaining(PASSWORD) });
    expect(out).not.toContain(PASSWORD);
    const text = await readFile(file, "utf8");
    expect(text).toContain(`  ${tls}\n  ${login(mechanism)}\n`);
    expect(parse(text).routes).toMatchObject([{ topic: TOPIC, entity: "accounts", key: "id" }]);
    expect(await runCli(["validate", "-c", file], ENV)).toMatchObject({ code: 0 });
    const lag = await runCli(["lag", "-c", file, "--every", "1", "--json"], ENV);
    expect(JSON.parse(lag.out)).toMatchObject({ from: "kafka", total: { records: 1 } });
  });
});

test.each([
  [
    "a wrong password",
    () => [tlsOf(certified.caFile), login("plain")],
    "refused the login",
    { KAFKA_PASSWORD: "wrong" },
  ],
  ["a mechanism that it has not", () => [tlsOf(certified.caFile), OAUTH], "refused the login", {}],
  ["an authority that nobody knows", () => ["tls: {}", login("plain")], "verify the first certificate", {}],
  ["no login", () => [tlsOf(certified.caFile)], "wants TLS or a login", {}],
  ["no TLS", () => [login("plain")], "wants TLS or a login", {}],
  ["a certificate that is not there", () => [tlsOf("/none.crt"), login("plain")], "kafka.tls.caFile", {}],
])("%s is one sentence with what to check, and exit 1", async (name, lines, sentence, env) => {
  const given = await aFile("wrong.yaml", reached(...lines()));
  const { code, out, err } = await runCli(["init", "--config", given, "-o", "-"], { ...ENV, ...env });
  expect({ name, code, out }).toEqual({ name, code: 1, out: "" });
  expect(err).toMatch(/^error: .+\n$/);
  expect(err).toContain(sentence);
});

const tlsOf = (caFile: string): string => `tls: { caFile: ${caFile} }`;
const OAUTH =
  'sasl: { mechanism: oauthbearer, tokenUrl: "http://127.0.0.1:1", clientId: erp, clientSecret: "${KAFKA_PASSWORD}" }';
