import { describe, expect, test } from "vitest";
import { schemaRegistryConfig } from "../../../src/decode/config.ts";

describe("schemaRegistry", () => {
  test("needs a URL and nothing else", () => {
    expect(schemaRegistryConfig.parse({ url: "http://registry:8081" })).toEqual({
      url: "http://registry:8081",
      headers: {},
      timeoutMs: 5_000,
      apicurioIds: "globalId",
    });
  });

  test.each([
    { url: "registry:8081" },
    { url: "ftp://registry" },
    { url: "http://registry", timeoutMs: 5 },
    { url: "http://registry", user: "ada" },
    { url: "http://registry", headers: { "X Tenant": "erp" } },
  ])("refuses %j", (config) => {
    expect(schemaRegistryConfig.safeParse(config).success).toBe(false);
  });
});
