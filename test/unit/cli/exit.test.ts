import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { failed } from "../../../src/cli/exit.ts";
import { ConnectorError } from "../../../src/domain/errors.ts";

const printed = (error: unknown, secrets: readonly string[] = []) => {
  let text = "";
  const code = failed(error, {
    out: () => {},
    err: (part) => void (text += part),
    hasColors: false,
    columns: null,
    failures: [],
    env: {},
    secrets: new Set(secrets),
  });
  return { code, text };
};

test("a failure is one line without a stack and exit 1", () => {
  expect(printed(new Error("Kafka is away\nfor long"))).toEqual({
    code: 1,
    text: "error: Kafka is away\\u{a}for long\n",
  });
  expect(printed("thrown text")).toEqual({ code: 1, text: "error: thrown text\n" });
});

test("a taken admin port is a matter of configuration: exit 2", () => {
  const error = new ConnectorError("ADMIN_PORT", "The admin address is not free.", { retriable: false });
  expect(printed(error).code).toBe(2);
});

test.each([
  ["as it is", (secret: string) => secret],
  ["URL-encoded", encodeURIComponent],
  ["in base64", (secret: string) => Buffer.from(secret).toString("base64")],
])("a secret %s is scrubbed from last words", (_, encode) => {
  const secret = "to/ken+with=signs";
  const { text } = printed(new Error(`refused: ${encode(secret)} is bad`), [secret]);
  expect(text).toBe("error: refused: *** is bad\n");
});

test.each([
  ["an exception that nobody caught", "setImmediate(() => { throw error; })"],
  ["a rejection that nobody caught", "Promise.reject(error)"],
])("%s ends the process with one line: no stack, no object, no secret", async (_, happens) => {
  const main = new URL("../../../src/main.ts", import.meta.url).href;
  const example = fileURLToPath(new URL("../../../config/example.yaml", import.meta.url));
  const script = `
    const { main } = await import(${JSON.stringify(main)});
    await main(["node", "sell-sink", "validate", "-c", ${JSON.stringify(example)}]);
    const error = Object.assign(new Error("odd: Bearer cn4ry+token"), { config: { headers: "cn4ry+token" } });
    ${happens};
    await new Promise((resolve) => setTimeout(resolve, 60_000));`;
  const child = spawnSync(process.execPath, ["--input-type=module", "-e", script], {
    env: { ...process.env, SELL_TOKEN: "cn4ry+token" },
    encoding: "utf8",
  });
  expect([child.status, child.stderr]).toEqual([1, "error: odd: Bearer ***\n"]);
});
