/** What the image must be and must not hold, as far as it can be read from the file. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

const joined = readFileSync("Dockerfile", "utf8").replaceAll("\\\n", " ");
const instructions = joined
  .split("\n")
  .filter((line) => line.trim() !== "" && !line.startsWith("#"))
  .map((line) => {
    const [, name = "", rest = ""] = /^(\S+)\s+(.*)$/.exec(line) ?? [];
    return { name, rest };
  });
const last = (wanted: string): string => instructions.findLast(({ name }) => name === wanted)?.rest ?? "";
const all = (wanted: string): string[] => instructions.filter(({ name }) => name === wanted).map(({ rest }) => rest);

test("it runs as a numeric user that is not root", () => {
  expect(last("USER")).toBe("65532:65532");
});

test("node is PID 1: entrypoint and command in exec form, no shell and no npm", () => {
  expect(JSON.parse(last("ENTRYPOINT"))).toEqual(["node", "--disable-proto=delete", "src/main.ts"]);
  expect(JSON.parse(last("CMD"))).toEqual(["run", "--config", "/etc/sell-sink/config.yaml"]);
});

test("the base image is a build argument of the last of two stages", () => {
  expect(all("FROM")).toEqual(["${BUILD_IMAGE} AS packages", "${BASE_IMAGE}"]);
  expect(all("ARG").map((argument) => argument.split("=")[0])).toEqual(["BUILD_IMAGE", "BASE_IMAGE"]);
});

test("packages come from the lock file, without scripts, development packages and the bundled Node", () => {
  const install = all("RUN").join("\n");
  expect(install).toContain("npm ci --omit=dev --ignore-scripts");
  expect(install).toContain("rm -rf node_modules/node-linux-*");
});

test("nothing secret, no volume, no health check is baked in", () => {
  expect(instructions.map(({ name }) => name)).not.toContain("VOLUME");
  expect(instructions.map(({ name }) => name)).not.toContain("HEALTHCHECK");
  expect(joined).not.toMatch(/token|password|secret/i);
});

test("only named files reach the build", () => {
  const lines = readFileSync(".dockerignore", "utf8").split("\n");
  const patterns = lines.filter((line) => line !== "" && !line.startsWith("#"));
  expect(patterns[0]).toBe("*");
  const copied = all("COPY").filter((rest) => !rest.startsWith("--from"));
  const sources = copied.flatMap((rest) => rest.split(/\s+/).slice(0, -1));
  expect(patterns.slice(1).toSorted()).toEqual([...new Set(sources)].map((source) => `!${source}`).toSorted());
});
