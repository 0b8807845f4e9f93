/**
 * The port is real: the next CRM is another folder. Nothing but the adapter and the simulator (and the demo, which scripts
 * the simulator) knows Sell's address, paths, error codes or what its status codes mean.
 */
import { globSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";

const KNOWS_SELL = /^src\/(deliver|sandbox|demo)\//;
/** These speak HTTP with others, or serve it: a status code of theirs is none of Sell's. */
const SPEAKS_HTTP = /^src\/(decode|admin|lag)\/|^src\/lib\/ask-admin/;
/** Who may know that there is such an adapter, and of it only these files. */
const COMPOSES = new Map([
  ["src/wiring/behind-gate.ts", ["../deliver/target.ts"]],
  ["src/config/spec.ts", ["../deliver/config.ts"]],
]);
/** Shows the requests that the adapter would make. */
const SHOWS_REQUESTS = "src/preview/requests.ts";

const SELLS = [
  /["'`][^"'`]*\/v2\//,
  /getbase\.com/,
  /\b(?:ambiguous_match|already_exists|incorrect_path|insufficient_scope|invalid_user_agent|rate_limit_exceeded)\b/,
  /\b(?:ambiguous_match|duplicate_in_batch|job_statuses|job_limit_exceeded|match_on)\b/,
];
const STATUS_CODES = [
  /\b(?:status|httpStatus|code)\s*(?:[=!]==|[<>]=?)\s*["'`]?[2-5]\d\d\b/,
  /case ["'`]?[2-5]\d\d["'`]?:/,
];

const withoutComments = (code: string): string => code.replace(/\/\*[\s\S]*?\*\//g, "").replace(/^\s*\/\/.*$/gm, "");
const files = globSync("src/**/*.ts").filter((file) => !KNOWS_SELL.test(file));

test("there are files to look at", () => {
  expect(files.length).toBeGreaterThan(100);
});

describe.each(files)("%s", (file) => {
  const code = withoutComments(readFileSync(file, "utf8"));

  test("names nothing of Sell's", () => {
    const patterns = SPEAKS_HTTP.test(file) ? SELLS : [...SELLS, ...STATUS_CODES];
    expect(patterns.flatMap((pattern) => pattern.exec(code)?.[0] ?? [])).toEqual([]);
  });

  test("imports the adapter only where everything is put together", () => {
    const imported = [...code.matchAll(/from "(\.[^"]*\/(?:deliver|sandbox)\/[^"]+)"/g)].map(([, from]) => from);
    if (file !== SHOWS_REQUESTS)
      expect(imported.filter((from) => from?.includes("/deliver/"))).toEqual(COMPOSES.get(file) ?? []);
    if (file !== "src/cli/sandbox.ts") expect(imported.filter((from) => from?.includes("/sandbox/"))).toEqual([]);
  });
});
