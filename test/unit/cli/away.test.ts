/** A person who asks once wants to hear that a service is away, not to wait for it: exit 1, one sentence, nothing left running. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { givenUp } from "../../../src/cli/waiting.ts";
import { ConnectorError } from "../../../src/domain/errors.ts";
import { runCli } from "../../support/run-cli.ts";

const folder = mkdtempSync(join(tmpdir(), "sell-sink-away-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const NOBODY = "127.0.0.1:1";
const config = join(folder, "config.yaml");
writeFileSync(
  config,
  `kafka: { brokers: ["${NOBODY}", "127.0.0.1:2"], groupId: g }
redis: { url: "redis://${NOBODY}" }
sell: { token: "a-token-to-try-with" }
deadLetter: { topic: dead }
admin: { port: 1 }
routes: [{ topic: t, format: debezium-json, entity: accounts, key: id, fields: { name: n, owner_id: { value: 7 } } }]
`,
);
test.each([
  "plan",
  "lag",
  "preview -t t",
  "dlq list",
  "dlq show t[0]@1",
  "dlq replay",
  "resync --topic t",
  "adopt -r t -m name",
])("%s says at once that no broker answers", async (line) => {
  const { code, out, err } = await runCli([...line.split(" "), "-c", config]);
  expect({ code, out }).toEqual({ code: 1, out: "" });
  expect(err).toContain(`error: Kafka at ${NOBODY}, 127.0.0.1:2 does not answer (`);
  expect(err).toContain("; check kafka.brokers, kafka.tls and kafka.sasl.\n");
});

test("what is said of a service that a connector would ask again does not promise that", async () => {
  const error = new ConnectorError("X", "The registry did not answer. The records wait, and it is asked again.", {
    retriable: true,
  });
  expect(givenUp(error)).toMatchObject({ code: "X", retriable: true, message: "The registry did not answer." });
});
