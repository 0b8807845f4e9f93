import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { runCli } from "../../support/run-cli.ts";

const folder = mkdtempSync(join(tmpdir(), "sell-sink-init-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const CLOSED = "127.0.0.1:1";
const taken = join(folder, "taken.yaml");
writeFileSync(taken, "# a person's work\n");

test.each([
  [["-b", "kafka"], 2, "--brokers must be host:port."],
  [["-b", CLOSED, "--registry", "registry"], 2, "--registry Invalid URL"],
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

test("a password in an address is never told", async () => {
  const urls = [
    "--registry",
    "http://u:canary-password@127.0.0.1:1",
    "--redis",
    "redis://:canary-password@127.0.0.1:1",
  ];
  const { err } = await runCli(["init", "-b", CLOSED, "-o", "-", ...urls]);
  expect(err).not.toContain("canary-password");
});
