import { describe, expect, test } from "vitest";
import { z } from "zod";
import { sellConfig } from "../../../src/deliver/config.ts";

const problems = (overrides: object): string[] => {
  const result = sellConfig.safeParse({ token: "t", ...overrides });
  return result.success ? [] : result.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`);
};

describe("the sell configuration", () => {
  test("needs no more than a token", () => {
    expect(sellConfig.parse({ token: "t" })).toEqual({
      baseUrl: "https://api.getbase.com",
      token: "t",
      dialect: "auto",
      keyField: "erp_id",
      asyncJobs: false,
      jobTimeoutMs: 6_000,
      timeoutMs: 6_000,
      lateApplyMaxMs: 12_000,
      indexLagMs: 2_000,
      headers: {},
      tls: {},
    });
  });

  test("takes a sandbox, a field name with a space, an account by id or name", () => {
    expect(problems({ baseUrl: "http://127.0.0.1:8181", keyField: "ERP ID", account: 7 })).toEqual([]);
    expect(problems({ account: "Nordlicht GmbH", proxy: "http://u:p@proxy:3128" })).toEqual([]);
  });

  test.each([
    [{ baseUrl: "http://api.getbase.com" }, "baseUrl: Zendesk Sell is reached by https only"],
    [{ baseUrl: "https://token@api.getbase.com" }, "baseUrl: must be an address without user"],
    [{ baseUrl: "https://api.getbase.com/?a=1" }, "baseUrl: must be an address without user"],
    [{ baseUrl: "file:///etc/passwd" }, "baseUrl: "],
    [{ keyField: "a[b]" }, "keyField: must not contain brackets or dots"],
    [{ headers: { "X-A": "1\r\nX-B: 2" } }, "headers.X-A: "],
    [{ tls: { certFile: "c.pem" } }, "tls: certFile and keyFile belong together"],
    [{ tls: { rejectUnauthorized: false } }, "tls: "],
    [{ token: "" }, "token: "],
  ])("refuses %j", (overrides, problem) => {
    expect(problems(overrides)).toEqual([expect.stringContaining(problem)]);
  });

  test("can be published as a JSON schema, each setting with a sentence", () => {
    const { properties = {} } = z.toJSONSchema(sellConfig, { io: "input" });
    for (const property of Object.values(properties)) expect(property).toHaveProperty("description");
  });
});
