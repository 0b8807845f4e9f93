import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { clearScreen, processTerminal } from "../../../src/cli/terminal.ts";

const aTerminal = (env: NodeJS.ProcessEnv, isTTY: boolean, columns = 80) => {
  const stream = { isTTY, columns, write: () => true } as unknown as NodeJS.WriteStream & { fd: 1 } & { fd: 2 };
  return processTerminal({ stdout: stream, stderr: stream, env });
};

test.each([
  ["a screen", {}, true, true],
  ["a pipe", {}, false, false],
  ["a screen with NO_COLOR", { NO_COLOR: "1" }, true, false],
  ["a screen that knows no colours", { TERM: "dumb" }, true, false],
  ["a pipe with FORCE_COLOR", { FORCE_COLOR: "1" }, false, true],
  ["a screen with FORCE_COLOR=0", { FORCE_COLOR: "0" }, true, false],
  ["NO_COLOR, whatever FORCE_COLOR says", { FORCE_COLOR: "1", NO_COLOR: "1" }, false, false],
  ["an empty NO_COLOR", { NO_COLOR: "" }, true, true],
])("%s", (_, env, isTTY, hasColors) => {
  expect(aTerminal(env, isTTY).hasColors).toBe(hasColors);
});

test("only a screen of a known width is cleared", () => {
  let cleared = "";
  const out = (text: string): void => void (cleared += text);
  clearScreen({ out, columns: aTerminal({ FORCE_COLOR: "1" }, false).columns });
  clearScreen({ out, columns: aTerminal({}, true, 0).columns });
  expect(cleared).toBe("");
  clearScreen({ out, columns: aTerminal({ NO_COLOR: "1" }, true).columns });
  expect(cleared).toBe("\u001b[H\u001b[J");
});

test("whoever serves ends in order and without a word when the reader of the output goes away", async () => {
  const main = fileURLToPath(new URL("../../../src/main.ts", import.meta.url));
  const child = spawn(process.execPath, [main, "sandbox", "--port", "0"], { stdio: ["ignore", "pipe", "pipe"] });
  let err = "";
  child.stderr.on("data", (bytes) => void (err += bytes));
  child.stdout.destroy();
  const [code] = await once(child, "exit");
  expect({ code, err }).toEqual({ code: 0, err: "" });
});
