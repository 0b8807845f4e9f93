import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { cached } from "../../../../src/demo/services/cache.ts";
import { systemClock } from "../../../../src/lib/clock.ts";

const aCache = () => {
  const root = mkdtempSync(join(tmpdir(), "sell-sink-unit-"));
  onTestFinished(() => rmSync(root, { recursive: true }));
  return { root, context: { env: { SELL_SINK_CACHE: root }, clock: systemClock } };
};

const fillWith =
  (text: string) =>
  (folder: string): Promise<void> =>
    writeFile(join(folder, "file"), text);

test("the second time nothing is fetched", async () => {
  const { context } = aCache();
  await cached("thing", context, fillWith("first"));
  const folder = await cached("thing", context, fillWith("second"));
  expect(readFileSync(join(folder, "file"), "utf8")).toBe("first");
});

test("a download that fails half way leaves nothing behind", async () => {
  const { root, context } = aCache();
  const fill = async (folder: string): Promise<void> => {
    await fillWith("half")(folder);
    throw new Error("cable cut");
  };
  await expect(cached("thing", context, fill)).rejects.toThrow("cable cut");
  expect(readdirSync(root)).toEqual([]);
});

test("a cache folder that cannot be made is named with the way out", async () => {
  const { root, context } = aCache();
  writeFileSync(join(root, "file"), "");
  const env = { SELL_SINK_CACHE: join(root, "file", "cache") };
  await expect(cached("thing", { ...context, env }, fillWith("x"))).rejects.toThrow(
    /file\/cache cannot be made: name another in SELL_SINK_CACHE/,
  );
});

test("of two runs that fetch at once both get the same whole folder", async () => {
  const { root, context } = aCache();
  const folders = await Promise.all(["a", "b"].map((text) => cached("thing", context, fillWith(text))));
  expect(new Set(folders).size).toBe(1);
  expect(readdirSync(root)).toEqual(["thing"]);
});

test("what a killed run left goes after an hour, what another fetches right now stays", async () => {
  const { root, context } = aCache();
  const [old, fresh] = [join(root, ".thing-old"), join(root, ".thing-new")];
  await Promise.all([mkdir(old), mkdir(fresh)]);
  const twoHoursAgo = systemClock.now() / 1_000 - 7_200;
  utimesSync(old, twoHoursAgo, twoHoursAgo);
  await cached("thing", context, fillWith("whole"));
  expect([existsSync(old), existsSync(fresh)]).toEqual([false, true]);
});
