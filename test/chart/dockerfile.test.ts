/** What the image must be and must not hold, as far as it can be read from the file. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { DockerfileParser } from "dockerfile-ast";
import { expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { replayTopicOf } from "../../src/dead-letter/letter.ts";
import { dockerfile, execForm, instructions, ROOT } from "./dockerfile.ts";
import { parseConfigText } from "./parse-config.ts";

const file = (name: string): string => readFileSync(join(ROOT, name), "utf8");
const lines = (text: string): readonly string[] =>
  text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
const defaults = new Map(instructions("ARG").map((argument) => argument.split(/=(.*)/s) as [string, string]));

test("it runs as a numeric user that is not root", () => {
  expect(instructions("USER")).toEqual(["65532:65532"]);
});

test("node is PID 1: entrypoint and command in exec form, no shell and no npm", () => {
  expect(execForm("ENTRYPOINT")).toEqual(["node", "--disable-proto=delete", "--max-semi-space-size=4", "src/main.ts"]);
  expect(execForm("CMD")).toEqual(["run", "--config", "/etc/sell-sink/config.yaml"]);
});

test("a base image may be given by digest: nothing is added to what the argument names", () => {
  const digest = `sha256:${"0123456789abcdef".repeat(4)}`;
  const named = {
    BUILD_IMAGE: `mirror.example.com/node:26@${digest}`,
    BASE_IMAGE: `mirror.example.com/base@${digest}`,
  };
  const text = Object.entries(named).reduce(
    (all, [name, image]) => all.replace(`\${${name}}`, image),
    file("Dockerfile"),
  );
  const images = DockerfileParser.parse(text).getFROMs();
  expect(images.map((from) => from.getImage())).toEqual(Object.values(named));
  expect(images.map((from) => from.getImageDigest())).toEqual([digest, digest]);
});

test("the lines by which an image is built name arguments that there are", () => {
  const pages = ["README.md", "deploy/helm/README.md"].map(file).join("\n");
  const named = [...pages.matchAll(/--build-arg (\w+)=/g)].map(([, name = ""]) => name);
  expect(new Set(named)).toEqual(new Set(defaults.keys()));
});

test("both base images and the package registry are build arguments", () => {
  expect(instructions("FROM")).toEqual(["${BUILD_IMAGE} AS packages", "${BASE_IMAGE}"]);
  expect([...defaults.keys()]).toEqual(["BUILD_IMAGE", "BASE_IMAGE", "NPM_REGISTRY", "NODE"]);
});

test("packages come from the lock file, without scripts, development packages and the bundled Node", () => {
  const [install = ""] = instructions("RUN");
  expect(install).toContain("npm ci --omit=dev --ignore-scripts");
  expect(install).toContain("rm -rf node_modules/node-linux-*");
});

test("both stages stand on the same Debian, because native addons move from one to the other", () => {
  expect(defaults.get("BUILD_IMAGE")).toContain("trixie"); // Debian 13
  expect(defaults.get("BASE_IMAGE")).toContain("debian13");
});

test("nothing secret, no volume, no health check is baked in", () => {
  expect(instructions("VOLUME")).toEqual([]);
  expect(instructions("HEALTHCHECK")).toEqual([]);
  for (const keyword of ["ENV", "ARG", "LABEL", "RUN", "COPY"]) {
    expect(instructions(keyword).join("\n")).not.toMatch(/token|password|secret/i);
  }
  expect(dockerfile.getInstructions().length).toBeGreaterThan(10);
});

test("only named files reach the build", () => {
  const [all, ...named] = lines(file(".dockerignore"));
  expect(all).toBe("*");
  const copied = instructions("COPY").filter((copy) => !copy.startsWith("--"));
  const sources = copied.flatMap((copy) => copy.split(/\s+/).slice(0, -1));
  expect(named.toSorted()).toEqual([...new Set(sources)].map((source) => `!${source}`).toSorted());
});

test("the connector takes the configuration of the compose file", () => {
  expect(parseConfigText(file("deploy/compose-config.yaml"))).toEqual([]);
});

test("the compose file creates every topic that its configuration reads or writes, that of replays too", () => {
  const compose = parseAllDocuments(file("deploy/compose.yaml"))[0]?.toJS();
  const created = /for topic in (.*); do/.exec(compose.services.topics.command[2])?.[1]?.split(" ");
  const { routes, deadLetter } = parseAllDocuments(file("deploy/compose-config.yaml"))[0]?.toJS() ?? {};
  const read = routes.map(({ topic }: { readonly topic: string }) => topic);
  expect(created).toEqual([...read, deadLetter.topic, replayTopicOf(deadLetter.topic)]);
});

test("the list of images names every image that a build, the compose file or the chart may pull, and no other", () => {
  const services: Readonly<Record<string, { readonly image?: string; readonly build?: unknown }>> = parseAllDocuments(
    file("deploy/compose.yaml"),
  )[0]?.toJS().services;
  const composed = Object.values(services).filter(({ build }) => build === undefined);
  const pulled = [defaults.get("BUILD_IMAGE"), defaults.get("BASE_IMAGE"), ...composed.map(({ image }) => image)];
  expect(lines(file("deploy/images.txt")).toSorted()).toEqual([...new Set(pulled)].toSorted());
});
