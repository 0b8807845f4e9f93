/** What records, servers and other processes write stays text on a terminal: no line, colour, title or direction of its own (S21). */
import { describe, expect, test } from "vitest";
import { Tally } from "../../../src/adopt/adopt.ts";
import { adoptionAsLines } from "../../../src/cli/adopt-print.ts";
import { letterAsLine, letterAsPage } from "../../../src/cli/dlq-print.ts";
import { failed } from "../../../src/cli/exit.ts";
import { lagAsTable } from "../../../src/cli/lag-print.ts";
import { clean, type Terminal } from "../../../src/cli/terminal.ts";
import { waiting } from "../../../src/cli/waiting.ts";
import type { LagReport } from "../../../src/lag/sample.ts";
import type { JudgedLetter } from "../../../src/replay/states.ts";

const ESCAPE = "\u001b";
const HOSTILE = `a${ESCAPE}[2J${ESCAPE}]0;owned\u0007\r\nok  all is well\u009b1m\u202egnp\u2066.exe\u200b\u2028z`;

const aTerminal = () => {
  const said: string[] = [];
  const say = (text: string): void => void said.push(text);
  const terminal: Terminal = {
    out: say,
    err: say,
    hasColors: false,
    columns: null,
    env: {},
    failures: [],
    secrets: new Set(["a-secret-of-ours"]),
  };
  return { terminal, said };
};

/** Characters that a terminal or an eye would follow; each line of the output must begin as one of ours does. */
const followed = (text: string): readonly string[] =>
  text.replaceAll("\n", "").match(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu) ?? [];
const fakes = (text: string): readonly string[] =>
  text.split("\n").filter((line) => line.startsWith("ok  all is well"));

const expectPlain = (text: string): void => {
  expect(text).toContain("owned");
  expect([followed(text), fakes(text)]).toEqual([[], []]);
};

const aLetter = (): JudgedLetter =>
  ({
    state: "open",
    keys: [{ entity: "accounts", key: HOSTILE }],
    letter: {
      ...{ origin: { topic: HOSTILE, partition: 1, offset: 2n }, stage: "map", reason: HOSTILE, message: HOSTILE },
      ...{ firstAttemptMs: 1, lastAttemptMs: 2, recordTimestampMs: 3 },
    },
    stored: { key: Buffer.from(HOSTILE), value: Buffer.from(HOSTILE), headers: [[HOSTILE, Buffer.from(HOSTILE)]] },
  }) as unknown as JudgedLetter;

describe("on a terminal", () => {
  test("a dead letter, in brief and whole", () => {
    const { terminal } = aTerminal();
    expectPlain(letterAsLine(aLetter(), terminal));
    expectPlain(letterAsPage(aLetter(), terminal));
  });

  test("a key and an answer of an adoption", () => {
    const { terminal } = aTerminal();
    const tally = new Tally();
    tally.add("failed", { key: HOSTILE, ids: [7], message: HOSTILE });
    const keys = { texts: new Map([[HOSTILE, null]]), unreadable: 0 };
    expectPlain(adoptionAsLines({ route: "customers", entity: "accounts", isDry: false, keys, tally }, terminal));
  });

  test("what another process tells of its lag", () => {
    const lag = {
      topic: HOSTILE,
      partition: 1,
      records: 1,
      ageS: 1,
      workedPerS: 1,
      arrivedPerS: 1,
      drainS: 1,
      paused: HOSTILE,
    };
    const report = { partitions: [lag], total: lag } as unknown as LagReport;
    expectPlain(lagAsTable(report, aTerminal().terminal));
  });

  test("what is waited for, and why as a server puts it, without our secrets", () => {
    const { terminal, said } = aTerminal();
    waiting(terminal)("kafka-unreachable", { brokers: "kafka:9092", cause: `${HOSTILE} a-secret-of-ours` });
    expectPlain(said.join(""));
    expect(said.join("")).not.toContain("a-secret-of-ours");
  });

  test("an error, whoever's sentence it is, without our secrets", () => {
    const { terminal, said } = aTerminal();
    failed(new Error(`${HOSTILE} a-secret-of-ours`), terminal);
    expectPlain(said.join(""));
    expect(said.join("")).not.toContain("a-secret-of-ours");
    expectPlain(clean(terminal, HOSTILE));
  });
});
