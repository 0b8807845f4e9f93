import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { runCli } from "../../support/run-cli.ts";

const folder = mkdtempSync(join(tmpdir(), "sell-sink-init-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const CLOSED = "127.0.0.1:1";
const taken = join(folder, "taken.yaml");
writeFileSync(taken, "# a person's work\n");

test.each([
  [["-b", "kafka"], 2, "--brokers must be host:port."],
  [["-b", CLOSED, "--registry", "registry"], 2, "--registry invalid URL"],
  [["-b", CLOSED, "--redis", "http://redis"], 2, "--redis must be redis://host:6379"],
  [["-b", CLOSED, "--sell-url", "http://127.0.0.1:1"], 2, "SELL_TOKEN is not set"],
  [["-b", CLOSED, "--key-field", "a.b"], 2, "--key-field must not contain brackets or dots."],
  [["-b", CLOSED, "--topic", "t=account"], 2, "did you mean accounts?"],
  [["-b", CLOSED, "--zone", "Mars/Base"], 2, 'knows no time zone "Mars/Base"; write one like Europe/Berlin.'],
  [["-b", CLOSED, "--country", "XX"], 2, 'knows no country "XX"'],
  [["-b", CLOSED, "-o", taken], 2, "is there already and is left as it is"],
  [["-b", CLOSED, "-o", "-"], 1, `Kafka at ${CLOSED} does not answer`],
])("%j is exit %d with one sentence", async (args, code, sentence) => {
  const ended = await runCli(["init", ...args]);
  expect(ended).toMatchObject({ code, out: "" });
  expect(ended.err).toMatch(/^error: .+\n$/);
  expect(ended.err).toContain(sentence);
  expect(readFileSync(taken, "utf8")).toBe("# a person's work\n");
});

test.each([
  ["--registry", "http://u:canary-password@127.0.0.1:1"],
  ["--redis", "redis://:canary-password@127.0.0.1:1"],
  ["--redis", "redis://u:no/canary-password@127.0.0.1:1"],
  ["--sell-url", "http://u:canary-password@127.0.0.1:1"],
])("%s with a password in it is refused, with the way to give it, and never told", async (option, url) => {
  const { code, out, err } = await runCli(["init", "-b", CLOSED, "-o", "-", option, url], { SELL_TOKEN: "token" });
  expect({ code, out }).toEqual({ code: 2, out: "" });
  expect(err).toMatch(new RegExp(`^error: ${option} .+\n$`));
  expect(err).toContain("write ${NAME} (in single quotes on a command line), or file:/path");
  expect(err).not.toContain("canary-password");
});

test("without --brokers and --config it says where to name Kafka", async () => {
  const { code, err } = await runCli(["init"]);
  expect(code).toBe(2);
  expect(err).toContain("Say where Kafka is: --brokers, or --config with a file that has kafka.brokers.");
});

describe("--config", () => {
  const file = join(folder, "kafka.yaml");
  const init = (text: string, env: Readonly<NodeJS.ProcessEnv> = {}) => {
    writeFileSync(file, text);
    return runCli(["init", "--config", file, "-o", "-"], env);
  };
  const LOGIN = "sasl: { mechanism: plain, username: erp, password: '${KAFKA_PASSWORD}' }";

  test.each([
    ["", "it holds no settings"],
    ["batch: {}", "kafka.brokers (line 1): is missing"],
    ["- kafka", "it holds no settings"],
    ['kafka: "x', "this is not valid YAML"],
    [
      `kafka:\n  brokers: ["k:1"]\n  ${LOGIN}\n`,
      "kafka.sasl.password (line 3): the environment does not set KAFKA_PASSWORD",
    ],
    ['kafka:\n  brokers: ["k:1"]\n  tsl: {}\n', "kafka.tsl (line 3): is not a setting; did you mean tls?"],
    [
      'kafka:\n  brokers: ["k:1"]\n  sasl:\n    { mechanism: plain, username: erp, password: canary-password }\n',
      "kafka.sasl.password (line 4): is a secret in plain text",
    ],
    [
      'kafka: { brokers: ["k:1"] }\nredis: { url: "redis://:canary-password@r" }\n',
      "redis.url (line 2): is a secret in plain",
    ],
  ])("%j is refused with its place and exit 2", async (text, sentence) => {
    const { code, out, err } = await init(text);
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toMatch(/^.+kafka\.yaml: 1 problem\n {2}.+\n$/);
    expect(err).toContain(sentence);
    expect(err).not.toContain("canary-password");
  });

  test("that is not there is exit 2", async () => {
    const { code, err } = await runCli(["init", "--config", join(folder, "none.yaml"), "-o", "-"]);
    expect(code).toBe(2);
    expect(err).toContain("cannot be read (ENOENT");
  });

  test("names the brokers; its secrets count as secrets, and Sell's token may be set later", async () => {
    const { code, err } = await init(
      `kafka:\n  brokers: ["${CLOSED}"]\n  ${LOGIN}\nsell: { token: "file:/none/yet" }\nroutes: []\n`,
      { KAFKA_PASSWORD: "canary-password" },
    );
    expect(code).toBe(1);
    expect(err).toContain(`Kafka at ${CLOSED} does not answer`);
    expect(err).toContain(`check kafka in ${file}.`);
    expect(err).not.toContain("canary-password");
  });
});
