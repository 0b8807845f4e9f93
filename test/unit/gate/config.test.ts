import { describe, expect, it } from "vitest";
import { quotaConfig, quotaProblems, quotaScope } from "../../../src/gate/config.ts";
import { permitsPerSecond, quotaOf } from "../../../src/gate/quota.ts";

const problemsOf = (quota: object): readonly string[] =>
  quotaProblems(quotaConfig.parse(quota)).map(({ path, message }) => `${path.join(".")}: ${message}`);

describe("the quota's defaults", () => {
  it("are 200 calls in 60 s for the account, with a guard of 1 % and a slot of 303 ms", () => {
    const quota = quotaOf(quotaConfig.parse(undefined));
    expect(quota).toMatchObject({ windows: [{ limit: 200, perMs: 60_000, spanMs: 60_600 }], slotMs: 303, liveRun: 9 });
    expect(quotaScope(quotaConfig.parse({}))).toBe("account");
  });

  it("hold the documented second; its pace never comes near the hour, unless the guard is taken away", () => {
    const config = quotaConfig.parse({ profile: "sell-documented" });
    expect(quotaOf(config)).toMatchObject({ slotMs: 130, windows: [{ spanMs: 1_300 }], counted: [] });
    const unguarded = quotaConfig.parse({ profile: "sell-documented", guardMs: 0 });
    expect(quotaOf(unguarded)).toMatchObject({ slotMs: 100, counted: [{ limit: 35_640, perMs: 3_600_000 }] });
    expect(quotaScope(config)).toBe("token");
  });

  it("limit nothing in the profile none", () => {
    expect(permitsPerSecond(quotaOf(quotaConfig.parse({ profile: "none" })), 0)).toBe(0);
  });

  it("pace a day's quota when there is no shorter window", () => {
    const day = quotaConfig.parse({ windows: [{ limit: 5_000, perMs: 86_400_000 }] });
    expect(quotaOf(day)).toMatchObject({ windows: [{ limit: 5_000 }], counted: [] });
    const both = quotaConfig.parse({
      windows: [
        { limit: 5_000, perMs: 86_400_000 },
        { limit: 200, perMs: 60_000 },
      ],
    });
    expect(quotaOf(both)).toMatchObject({ slotMs: 303, windows: [{ limit: 200 }], counted: [{ limit: 4_950 }] });
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

  it("are two limits for one length of window", () => {
    const windows = [10, 12].map((limit) => ({ limit, perMs: 1_000 }));
    expect(problemsOf({ windows })).toEqual([
      "quota.windows: 10 and 12 calls are both allowed per 1000 ms; keep the one that is meant",
    ]);
  });

  it("are a profile and windows", () => {
    expect(problemsOf({ profile: "none", windows: [{ limit: 10, perMs: 1_000 }] })).toEqual([
      "quota.windows: both quota.profile (none) and quota.windows are given; keep the one that is meant",
    ]);
  });
});
