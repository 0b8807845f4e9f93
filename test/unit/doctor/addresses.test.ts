import { expect, test } from "vitest";
import { type Address, addressCheck, addressesOf, advertisedCheck } from "../../../src/doctor/addresses.ts";

type Settings = Parameters<typeof addressesOf>[0];
const signal = new AbortController().signal;

const resolve = async (host: string) => {
  if (host === "gone.example") throw new Error("ENOTFOUND");
  const both = [{ address: "::1", family: 6 }];
  return host === "localhost" ? [...both, { address: "127.0.0.1", family: 4 }] : both;
};

const anAddress = (address: Partial<Address> = {}): Address => ({
  ...{ setting: "kafka.brokers", host: "kafka", port: 9_092, isTls: false },
  ...address,
});
const judged = async (address: Partial<Address>) => {
  const found = await addressCheck([anAddress(address)], resolve).run(signal);
  return found.map(({ status, sentence, next }) => `${status}: ${sentence} -> ${next}`);
};

test("every address of the configuration is known by its setting, IPv6 without brackets, with the usual port", () => {
  const settings = {
    kafka: { brokers: ["kafka:9092", "[fd00::7]:9093"], tls: { enabled: true } },
    redis: { url: "rediss://redis" },
    schemaRegistry: { url: "http://registry:8081" },
    sell: { baseUrl: "https://api.getbase.com" },
  } as unknown as Settings;
  expect(addressesOf(settings).map((address) => Object.values(address).join(" "))).toEqual([
    ...["kafka.brokers kafka 9092 true", "kafka.brokers fd00::7 9093 true", "redis.url redis 6379 true"],
    ...["schemaRegistry.url registry 8081 false", "sell.baseUrl api.getbase.com 443 true"],
  ]);
});

test("addresses in order are one line", async () => {
  expect(await judged({})).toEqual(["ok: 1 of 1 addresses can be resolved. -> null"]);
});

test.each([
  [{ host: "gone.example" }, /^failed: kafka.brokers names gone.example, which has no address here/],
  [{ host: "localhost" }, /^warning: .*is ::1 as well as 127.0.0.1 here.* -> write 127.0.0.1 or \[::1\]$/],
  [{ port: 9_093 }, /^warning: kafka.brokers names port 9093 of kafka, which is usually TLS, .* -> set kafka.tls/],
  [{ setting: "redis.url", port: 6_380 }, /^warning: .* -> write rediss:\/\/ in redis.url$/],
])("%j is a finding with its next step", async (address, line) => {
  const lines = await judged(address);
  expect(lines).toEqual([expect.stringMatching(line)]);
});

test("a port of TLS with TLS is in order", async () => {
  expect(await judged({ port: 9_093, isTls: true })).toEqual([expect.stringMatching(/^ok/)]);
});

test("a broker that advertises a name without address is named", async () => {
  const brokers = async () => [
    { host: "kafka", port: 9_092 },
    { host: "gone.example", port: 9_092 },
  ];
  const [finding] = await advertisedCheck(brokers, resolve).run(signal);
  expect(finding).toMatchObject({ status: "failed", next: expect.stringContaining("advertised.listeners") });
  expect(finding?.sentence).toBe("Brokers advertise gone.example:9092, which has no address here.");
});
