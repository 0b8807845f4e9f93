/** What no line of the product may hold: S05, S10. A linter cannot see all of it. */
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { loadConfig } from "../../../src/config/load.ts";

const ROOT = join(import.meta.dirname, "../../..");
const sources = globSync("src/**/*.{ts,mjs}", { cwd: ROOT }).map(
  (file) => [file, readFileSync(join(ROOT, file), "utf8")] as const,
);

test.each<readonly [string, RegExp, readonly string[]]>([
  ["unverified certificates", /rejectUnauthorized|checkServerIdentity|insecureHTTPParser|ALLOW_INSECURE/, []],
  ["Node's switch for them, but where it is refused", /NODE_TLS_REJECT_UNAUTHORIZED/, ["src/config/load.ts"]],
  ["code made of text", /\beval\(|new Function\b|node:vm\b|\bsetTimeout\("|node:inspector/, []],
  ["HTML made of text", /innerHTML|outerHTML|insertAdjacentHTML|document\.write/, []],
  ["old TLS", /secureProtocol|TLSv1(\.1)?"|SECLEVEL/, []],
  ["a merge in depth", /lodash|deepmerge|structuredClone\(.*\.\.\./, []],
  // The demo starts services, the bootstrap another Node; nothing that runs beside data starts a process.
  ["other processes, but of the demo", /node:child_process/, ["src/cli/bootstrap.mjs"]],
])("%s", (_, pattern, allowed) => {
  const found = sources
    .filter(([file, text]) => !file.startsWith("src/demo/") && pattern.test(text))
    .map(([file]) => file);
  expect(found).toEqual(allowed);
});

test("whoever presents certificates speaks TLS 1.2 or newer, whatever Node is told to accept", () => {
  const files = ["decode/registry-connection", "deliver/wire", "lib/redis-client", "source/connection"];
  const ofTls = sources
    .filter(([, text]) => /\b(cert|ca): |pem\("ca/.test(text))
    .map(([file]) => file)
    .toSorted();
  expect(ofTls).toEqual(files.map((name) => `src/${name}.ts`));
  expect(sources.filter(([file, text]) => ofTls.includes(file) && !text.includes('minVersion: "TLSv1.2"'))).toEqual([]);
});

test("an environment that lets certificates go unverified is refused, with the way out", () => {
  const file = join(ROOT, "config/example.yaml");
  const loaded = loadConfig(file, { SELL_TOKEN: "a-token", NODE_TLS_REJECT_UNAUTHORIZED: "0" });
  expect(loaded).toMatchObject({
    status: "refused",
    problems: [{ message: expect.stringMatching(/unset it.*tls\.caFile/) }],
  });
  expect(loadConfig(file, { SELL_TOKEN: "a-token", NODE_TLS_REJECT_UNAUTHORIZED: "1" }).status).toBe("ok");
});
