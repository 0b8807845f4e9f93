import { describe, expect, test } from "vitest";
import { schemaRegistryConfig } from "../../../src/decode/config.ts";

const OAUTH = { tokenUrl: "https://provider/token", clientId: "erp", clientSecret: "secret" };

describe("schemaRegistry", () => {
  test.each([{ username: "ada", password: "p" }, { token: "file:/run/secrets/token" }, { oauth: OAUTH }])(
    "takes one way to say who asks: %j",
    (way) => expect(schemaRegistryConfig.parse({ url: "http://registry", ...way })).toMatchObject(way),
  );

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
    { url: "http://registry", username: "ada", token: "t" },
    { url: "http://registry", token: "t", oauth: OAUTH },
    { url: "http://registry", oauth: { ...OAUTH, clientSecret: "" } },
    { url: "http://registry", oauth: { ...OAUTH, tokenUrl: "provider/token" } },
  ])("refuses %j", (config) => {
    expect(schemaRegistryConfig.safeParse(config).success).toBe(false);
  });
});
