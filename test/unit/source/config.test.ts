import { describe, expect, it } from "vitest";
import { kafkaConfig } from "../../../src/source/config.ts";

const least = { brokers: ["kafka:9092"], groupId: "sell-sink" };

describe("the kafka section", () => {
  it("needs brokers and a group, and fills in the rest", () => {
    expect(kafkaConfig.parse(least)).toMatchObject({
      clientId: "sell-sink",
      sessionTimeoutMs: 20_000,
      heartbeatIntervalMs: 1_000,
    });
  });

  it.each([
    ["a broker without port", { ...least, brokers: ["kafka"] }],
    ["an unknown key", { ...least, group: "x" }],
    ["an unknown mechanism", { ...least, sasl: { mechanism: "gssapi" } }],
    ["a login without password", { ...least, sasl: { mechanism: "plain", username: "me" } }],
  ])("refuses %s", (_, config) => {
    expect(kafkaConfig.safeParse(config).success).toBe(false);
  });
});
