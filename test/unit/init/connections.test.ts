import { expect, test } from "vitest";
import { connectionsIn, type Named } from "../../../src/init/connections.ts";

const ENV = {
  KAFKA_PASSWORD: "canary-kafka",
  REDIS_URL: "redis://:canary-redis@redis:6379",
  SELL_TOKEN: "canary-token",
};

const connections = (text: string | null, named: Named = {}) => {
  const given = connectionsIn(text, named, { env: ENV, readFile: () => "canary-file" });
  if (given.status === "refused") throw new Error(JSON.stringify(given.problems));
  return { ...given, text: given.document.toString({ lineWidth: 0 }) };
};

const FILE = `# how we reach it
kafka: # the big cluster
  brokers: [ "kafka:9093" ]
  tls: { caFile: /etc/ssl/ca.pem }
  sasl: { mechanism: scram-sha-512, username: erp, password: "\${KAFKA_PASSWORD}" }
schemaRegistry: { url: "https://registry", oauth: { tokenUrl: "https://id", clientId: erp, clientSecret: file:/run/s } }
batch: { lingerMs: 500 }
routes: [{ topic: old }]
`;

test("what a file says is kept as it is, with its comments, but for its routes; what is missing is added", () => {
  const { text, places, isSellNamed } = connections(FILE);
  for (const line of ["# how we reach it", "# the big cluster", ...FILE.split("\n").slice(3, 7)])
    expect(text).toContain(line);
  expect(text).not.toContain("routes");
  expect(text).toContain("groupId: sell-sink");
  expect(text).toContain("token: ${SELL_TOKEN} # or file:/run/secrets/sell-token");
  expect(isSellNamed).toBe(false);
  expect(places.kafka.sasl).toMatchObject({ username: "erp", password: "canary-kafka" });
  expect(places.schemaRegistry?.oauth?.clientSecret).toBe("canary-file");
});

test("no secret stands in what is written, wherever it came from", () => {
  const { text } = connections(FILE, { redis: "${REDIS_URL}", sellUrl: "http://127.0.0.1:8600" });
  expect(text).toContain('redis: { url: "${REDIS_URL}" }');
  expect(text).not.toContain("canary");
});

test("an option goes before the file, and before what nobody said", () => {
  const { text, places, isSellNamed } = connections(FILE, {
    brokers: ["other:9092"],
    group: "g",
    sellUrl: "http://sell",
  });
  expect(places.kafka).toMatchObject({ brokers: ["other:9092"], groupId: "g", tls: { caFile: "/etc/ssl/ca.pem" } });
  expect(isSellNamed).toBe(true);
  expect(text).not.toContain("kafka:9093");
});

test("without a file the options are all there is, each section on a line", () => {
  const { text } = connections(null, { brokers: ["kafka:9092"], registry: "http://registry" });
  expect(text.split("\n").slice(0, 3)).toEqual([
    "kafka: { brokers: [ kafka:9092 ], groupId: sell-sink }",
    "schemaRegistry: { url: http://registry }",
    '# redis: { url: "redis://redis:6379" } # for several replicas, and a memory over restarts',
  ]);
});
