import { describe, expect, test } from "vitest";
import type { AppliedItem, LoggedRequest, StateRecord } from "../../../src/sandbox/index.ts";
import { busiest, CLEAN, check, type Findings, type Ledgers, repeated, type Written } from "../../support/checker.ts";
import type { StoredRecord } from "../../support/read-topics.ts";

const bytes = (text: string): Buffer => Buffer.from(text);

/** The nth version of a customer; its body hashes to `K#n`. */
const aVersion = (key: string, version: number, offset: number, more: Partial<Written> = {}): Written => ({
  topic: "erp",
  partition: 0,
  offset: BigInt(offset),
  key: bytes(key),
  value: bytes(`${key}${version}`),
  change: { resource: "accounts", key, hash: `${key}#${version}`, data: { name: `${key} v${version}` } },
  isPoison: false,
  ...more,
});

const aDelete = (key: string, offset: number): Written =>
  aVersion(key, 0, offset, { change: { resource: "accounts", key, hash: null, data: null } });

const anItem = (key: string, hash: string | null, atMs: number): AppliedItem => ({
  resource: "accounts",
  key,
  id: 1,
  result: hash === null ? "deleted" : "updated",
  code: null,
  revision: null,
  hash,
  atMs,
});

let ids = 0;
/** A call that arrived at `atMs`, was applied at once and answered 10 ms later. */
const aCall = (atMs: number, hashes: readonly string[], more: Partial<LoggedRequest> = {}): LoggedRequest => ({
  id: ++ids,
  atMs,
  wallMs: atMs,
  method: "POST",
  path: "/api/v2/bulk/accounts",
  query: "",
  token: "",
  instance: "a",
  items: hashes.length,
  status: 200,
  refused: false,
  hintMs: null,
  reply: "sent",
  endMs: atMs + 10,
  applied: hashes.map((hash) => anItem(hash.split("#", 1)[0] ?? "", hash, atMs)),
  ...more,
});

const held = (key: string, version: number): StateRecord => ({
  resource: "accounts",
  version: 1,
  data: { name: `${key} v${version}`, custom_fields: { erp_id: key } },
});

const aDeadLetter = ({ topic, partition, offset, key, value }: Written): StoredRecord => ({
  topic: "dead-letters",
  partition: 0,
  offset: 0n,
  timestampMs: 0,
  key,
  value,
  headers: [
    ["__connect.errors.topic", bytes(topic)],
    ["__connect.errors.partition", bytes(String(partition))],
    ["__connect.errors.offset", bytes(String(offset))],
  ],
});

const BAD = aVersion("B", 1, 2, { isPoison: true });

/** Two versions of A, a record that nobody can deliver, and all went well. */
const ledgers = (more: Partial<Ledgers> = {}): Ledgers => ({
  written: [aVersion("A", 1, 0), aVersion("A", 2, 1), BAD],
  requests: [aCall(0, ["A#1"]), aCall(100, ["A#2"])],
  state: [held("A", 2)],
  deadLetters: [aDeadLetter(BAD)],
  offsets: [{ topic: "erp", partition: 0, committed: 3n, end: 3n }],
  crashes: [],
  maxInFlight: 4,
  ...more,
});

/** What was found, by the names of the lists that are not empty. */
const found = (more: Partial<Ledgers>): readonly (keyof Findings)[] =>
  Object.entries(check(ledgers(more)))
    .filter(([, offenders]) => offenders.length > 0)
    .map(([name]) => name as keyof Findings);

describe("a good run is clean", () => {
  test("each version applied once", () => {
    expect(check(ledgers())).toEqual(CLEAN);
  });

  test("an older version superseded by an applied newer one", () => {
    expect(found({ requests: [aCall(100, ["A#2"])] })).toEqual([]);
  });

  test("a deleted record that is gone, and one that never came to be", () => {
    const written = [aVersion("A", 1, 0), aDelete("A", 1), aVersion("C", 1, 2), aDelete("C", 3), BAD];
    const gone = { applied: [anItem("A", null, 50)] };
    expect(found({ written, requests: [aCall(0, ["A#1"]), aCall(50, [], gone)], state: [] })).toEqual([]);
  });

  test("a version that changes nothing, and so needs no call", () => {
    expect(found({ written: [aVersion("A", 1, 0), aVersion("A", 2, 1), aVersion("A", 2, 3), BAD] })).toEqual([]);
  });

  test("a bad version that was never tried because a good one stood for it", () => {
    const written = [aVersion("A", 1, 0, { isPoison: true }), aVersion("A", 2, 1), BAD];
    expect(found({ written, requests: [aCall(0, ["A#2"])] })).toEqual([]);
  });
});

test("a wait announced to a replica that was killed at that moment binds nobody", () => {
  const told = aCall(50, [], { refused: true, status: 429, hintMs: 2_000 });
  const crashes = [{ instance: "a", atMs: 100 }];
  expect(found({ requests: [aCall(0, ["A#1"]), told, aCall(900, ["A#2"])], crashes })).toEqual([]);
});

describe("what is wrong is found", () => {
  test.for<{ title: string; wrong: Partial<Ledgers>; is: readonly (keyof Findings)[] }>([
    { title: "nothing of a record applied", wrong: { requests: [] }, is: ["lost"] },
    {
      title: "the newest version not applied",
      wrong: { requests: [aCall(0, ["A#1"])], state: [held("A", 1)] },
      is: ["lost", "wrongAtTheEnd"],
    },
    {
      title: "the way back to a former version not applied",
      wrong: { written: [aVersion("A", 1, 0), aVersion("A", 2, 1), aVersion("A", 1, 3), BAD] },
      is: ["lost", "wrongAtTheEnd"],
    },
    { title: "a body nobody wrote", wrong: { requests: [aCall(0, ["A#2"]), aCall(5, ["A#9"])] }, is: ["invented"] },
    { title: "a record nobody wrote", wrong: { requests: [aCall(0, ["A#2"]), aCall(5, ["Z#1"])] }, is: ["invented"] },
    { title: "an old version in the end", wrong: { state: [held("A", 1)] }, is: ["wrongAtTheEnd"] },
    { title: "twins", wrong: { state: [held("A", 2), held("A", 2)] }, is: ["wrongAtTheEnd"] },
    {
      title: "a version applied again after it was answered",
      wrong: { requests: [aCall(0, ["A#1"]), aCall(100, ["A#2"]), aCall(200, ["A#2"])] },
      is: ["duplicates"],
    },
    {
      title: "an older version after a newer one",
      wrong: { requests: [aCall(0, ["A#2"]), aCall(100, ["A#1"])] },
      is: ["regressions"],
    },
    {
      title: "a call inside an announced wait",
      wrong: {
        requests: [
          aCall(0, ["A#1"]),
          aCall(50, [], { refused: true, status: 429, hintMs: 2_000 }),
          aCall(900, ["A#2"]),
        ],
      },
      is: ["insideCooldown"],
    },
    {
      title: "a call inside a wait announced to a replica that was killed later",
      wrong: {
        requests: [
          aCall(0, ["A#1"]),
          aCall(50, [], { refused: true, status: 429, hintMs: 2_000 }),
          aCall(900, ["A#2"]),
        ],
        crashes: [{ instance: "a", atMs: 500 }],
      },
      is: ["insideCooldown"],
    },
    { title: "no dead letter", wrong: { deadLetters: [] }, is: ["deadLetters"] },
    {
      title: "two dead letters of one record",
      wrong: { deadLetters: [aDeadLetter(BAD), aDeadLetter(BAD)] },
      is: ["deadLetters"],
    },
    {
      title: "an altered dead letter",
      wrong: { deadLetters: [aDeadLetter({ ...BAD, value: null })] },
      is: ["deadLetters"],
    },
    {
      title: "a dead letter of a good record",
      wrong: { deadLetters: [aDeadLetter(BAD), aDeadLetter(aVersion("A", 1, 0))] },
      is: ["deadLetters"],
    },
    {
      title: "an offset short of the end",
      wrong: { offsets: [{ topic: "erp", partition: 0, committed: 2n, end: 3n }] },
      is: ["uncommitted"],
    },
    {
      title: "an offset never committed",
      wrong: { offsets: [{ topic: "erp", partition: 0, committed: null, end: 3n }] },
      is: ["uncommitted"],
    },
  ])("$title", ({ wrong, is }) => {
    expect(found(wrong)).toEqual(is);
  });
});

describe("what may be repeated", () => {
  const twice = (first: Partial<LoggedRequest>): Partial<Ledgers> => ({
    requests: [aCall(0, ["A#1"]), aCall(100, ["A#2"], first), aCall(9_000, ["A#2"], { instance: "b" })],
  });

  test("a call whose answer was cut, withheld, or said nothing", () => {
    expect(found(twice({ reply: "cut" }))).toEqual([]);
    expect(found(twice({ reply: "withheld", status: null }))).toEqual([]);
    expect(found(twice({ status: 502 }))).toEqual([]);
    expect(repeated(ledgers(twice({ status: 502 })))).toBe(1);
  });

  test("the last calls of a replica that was killed, and not those before", () => {
    const crashes = [{ instance: "a", atMs: 500 }];
    expect(found({ ...twice({}), crashes, maxInFlight: 1 })).toEqual([]);
    const before = [aCall(0, ["A#2"]), aCall(100, ["X#1"]), aCall(9_000, ["A#2"], { instance: "b" })];
    const written = [...ledgers().written, aVersion("X", 1, 3)];
    const state = [held("A", 2), held("X", 1)];
    expect(found({ written, state, requests: before, crashes, maxInFlight: 1 })).toEqual(["duplicates"]);
    expect(found({ ...twice({}), crashes: [{ instance: "b", atMs: 500 }] })).toEqual(["duplicates"]);
  });

  test("a call that left first, had no answer, and was applied after its repetition", () => {
    const late = aCall(0, [], { reply: "withheld", status: null, applied: [anItem("A", "A#2", 400)] });
    expect(found({ requests: [late, aCall(200, ["A#2"])] })).toEqual([]);
  });
});

test("the busiest window counts every arrival, and its end is open", () => {
  const calls = [0, 500, 999, 1_000, 1_400].map((atMs) => aCall(atMs, []));
  expect(busiest(calls, 1_000)).toBe(4);
  expect(busiest([], 1_000)).toBe(0);
});
