import { describe, expect, it } from "vitest";
import { quotaConfig, quotaProblems, quotaScope, redisConfig } from "../../../src/gate/config.ts";
import { permitsPerSecond, quotaOf } from "../../../src/gate/quota.ts";

const problemsOf = (quota: object): readonly string[] =>
  quotaProblems(quotaConfig.parse(quota)).map(({ path, message }) => `${path.join(".")}: ${message}`);

describe("the quota's defaults", () => {
  it("are 200 calls in 60 s for the account, with a guard of 1 % and a slot of 303 ms", () => {
    const quota = quotaOf(quotaConfig.parse(undefined));
    expect(quota).toMatchObject({ windows: [{ limit: 200, perMs: 60_000, spanMs: 60_600 }], slotMs: 303, liveRun: 9 });
    expect(quotaScope(quotaConfig.parse({}))).toBe("account");
  });

  it("hold both documented windows, the tighter one setting the pace", () => {
    const config = quotaConfig.parse({ profile: "sell-documented" });
    expect(quotaOf(config)).toMatchObject({ slotMs: 130, windows: [{ spanMs: 1_300 }, { spanMs: 3_636_000 }] });
    expect(quotaScope(config)).toBe("token");
  });

  it("limit nothing in the profile none", () => {
    expect(permitsPerSecond(quotaOf(quotaConfig.parse({ profile: "none" })))).toBe(0);
  });

  it("leave the reserve to others", () => {
    expect(quotaOf(quotaConfig.parse({ reserve: 50 })).windows).toMatchObject([{ limit: 150 }]);
  });
});

describe("settings that make no sense together", () => {
  it("are none by default, nor in any profile", () => {
    expect([{}, { profile: "sell-documented" }, { profile: "none" }].flatMap(problemsOf)).toEqual([]);
  });

  it("are a reserve that leaves nothing", () => {
    expect(problemsOf({ reserve: 200 })).toEqual([
      "quota.reserve: 200 calls per 60000 ms less quota.reserve 200 leaves 0 calls; lower the reserve",
    ]);
  });

  it("are a guard longer than the window", () => {
    expect(problemsOf({ windows: [{ limit: 10, perMs: 1_000 }], guardMs: 4_000 })).toEqual([
      "quota.guardMs: a guard of 4000 ms on 10 calls per 1000 ms would use only 20 % of the quota; at most 1000",
    ]);
  });

  it("are a profile and windows", () => {
    expect(problemsOf({ profile: "none", windows: [{ limit: 10, perMs: 1_000 }] })).toEqual([
      "quota.windows: both quota.profile (none) and quota.windows are given; keep the one that is meant",
    ]);
  });
});

it("a Redis address must be one", () => {
  expect(redisConfig.safeParse({ url: "rediss://:secret@redis:6380/2" }).success).toBe(true);
  expect(redisConfig.safeParse({ url: "redis:6379" }).success).toBe(false);
});
