import { describe, expect, it } from "vitest";
import { createFetchRounds } from "../../../src/source/fetch-rounds.ts";

const NODES = ["1", "2"];

describe("fetch rounds", () => {
  it("distrust batches of a gained partition until every broker's fetcher began anew", () => {
    const rounds = createFetchRounds();
    for (const node of NODES) rounds.started(node);
    rounds.joined(["orders[0]"]);
    rounds.started("1");
    expect(rounds.isStale("orders[0]", NODES)).toBe(true);
    rounds.started("2");
    expect(rounds.isStale("orders[0]", NODES)).toBe(false);
  });

  it("go on distrusting a gained partition when the next join keeps it before it was fetched anew", () => {
    const rounds = createFetchRounds();
    for (const node of NODES) rounds.started(node);
    rounds.joined(["orders[0]"]);
    rounds.joined([]);
    rounds.started("1");
    expect(rounds.isStale("orders[0]", NODES)).toBe(true);
  });

  it("trust partitions that were ours before", () => {
    const rounds = createFetchRounds();
    rounds.started("1");
    rounds.joined(["orders[0]"]);
    expect(rounds.isStale("orders[1]", NODES)).toBe(false);
  });

  it("do not wait for a broker that left the cluster", () => {
    const rounds = createFetchRounds();
    for (const node of NODES) rounds.started(node);
    rounds.joined(["orders[0]"]);
    rounds.started("1");
    expect(rounds.isStale("orders[0]", ["1"])).toBe(false);
  });

  it("distrust batches of a partition that is to be read from elsewhere, alike", () => {
    const rounds = createFetchRounds();
    for (const node of NODES) rounds.started(node);
    rounds.sought("orders[0]");
    expect([rounds.isStale("orders[0]", NODES), rounds.isStale("orders[1]", NODES)]).toEqual([true, false]);
    for (const node of NODES) rounds.started(node);
    expect(rounds.isStale("orders[0]", NODES)).toBe(false);
  });

  it("trust everything at the first join", () => {
    const rounds = createFetchRounds();
    rounds.joined(["orders[0]"]);
    expect(rounds.isStale("orders[0]", NODES)).toBe(false);
  });
});
