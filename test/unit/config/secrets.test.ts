import { expect, test } from "vitest";
import { masked, secretValues } from "../../../src/config/secrets.ts";

const CONFIG = {
  sell: {
    token: "tok-123",
    keyField: "erp_id",
    headers: { "X-Key": "gateway-key" },
    proxy: "http://me:proxy-pw@proxy:3128",
  },
  redis: { url: "redis://user:redis-pw@redis:6379", password: "pw-456" },
  kafka: { sasl: { mechanism: "oauthbearer", clientId: "id", clientSecret: "cs-789" }, brokers: ["k:9092"] },
  schemaRegistry: { url: "http://registry:8081", password: "file:/run/secrets/registry" },
};

test("a shown configuration holds no secret and keeps the rest", () => {
  const shown = JSON.stringify(masked(CONFIG));
  for (const secret of ["tok-123", "gateway-key", "proxy-pw", "redis-pw", "pw-456", "cs-789"]) {
    expect(shown).not.toContain(secret);
  }
  expect(masked(CONFIG)).toMatchObject({
    sell: { token: "***", keyField: "erp_id", proxy: "http://***@proxy:3128" },
    kafka: { sasl: { clientId: "id" }, brokers: ["k:9092"] },
    schemaRegistry: { url: "http://registry:8081", password: "file:/run/secrets/registry" },
  });
});

const gone = (path: string): never => {
  throw new Error(`ENOENT ${path}`);
};

test("the secrets of a configuration are known for scrubbing, alone and behind the user's name", () => {
  const basic = ["me:proxy-pw", "user:redis-pw", "id:cs-789"].map((pair) => Buffer.from(pair).toString("base64"));
  expect(secretValues(CONFIG, gone).toSorted()).toEqual(
    [...basic, "cs-789", "gateway-key", "proxy-pw", "pw-456", "redis-pw", "tok-123"].toSorted(),
  );
});
