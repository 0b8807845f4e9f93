import { PassThrough } from "node:stream";
import { stripVTControlCharacters } from "node:util";
import { expect, test, vi } from "vitest";
import { spinnerProgress } from "../../../src/lib/progress.ts";
import { FakeClock } from "../../support/fake-clock.ts";

test("in a narrow terminal what is going on is cut, so that no line wraps and is left behind", async () => {
  vi.stubEnv("CI", undefined);
  vi.stubEnv("TERM", "xterm");
  const chunks: string[] = [];
  const methods = { cursorTo: () => true, clearLine: () => true, moveCursor: () => true };
  const stream = Object.assign(new PassThrough(), { isTTY: true, columns: 40, ...methods });
  stream.on("data", (chunk) => chunks.push(stripVTControlCharacters(String(chunk))));
  const progress = spinnerProgress(
    { clock: new FakeClock(), out: (text) => void stream.write(text) },
    stream as unknown as NodeJS.WriteStream,
  );
  await progress.step("Delivery", async ({ tell }) => {
    tell("1,580 of 2,000 changes made, 107 records to go, 18 of 20 calls in 6 s");
    await vi.waitFor(() => expect(chunks.join("")).toContain("Delivery: 1,580"));
  });
  vi.unstubAllEnvs();
  expect(chunks.map((chunk) => chunk.trimEnd()).filter((chunk) => chunk.length > 37)).toEqual([]);
  expect(chunks.join("\n")).toContain("Delivery: 1,580 of 2,000 changes m…");
});
