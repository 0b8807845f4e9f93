import { stripVTControlCharacters } from "node:util";
import { expect, test } from "vitest";
import { lagAsTable } from "../../../src/cli/lag-print.ts";
import type { Terminal } from "../../../src/cli/terminal.ts";
import { type Look, lagReport } from "../../../src/lag/sample.ts";

const PIPE = { hasColors: false, columns: null } as Terminal;
const COLOURS = { hasColors: true, columns: null } as Terminal;

const aLook = (more: Partial<Look>): Look => ({
  ...{ topic: "erp.sales.orders", partition: 0, next: 0, end: 0, ageS: 0, paused: null },
  ...more,
});

/** Two looks ten seconds apart. */
const reportOf = (...looks: readonly (readonly [before: Partial<Look>, after: Partial<Look>])[]) =>
  lagReport(
    { atMs: 0, looks: looks.map(([before]) => aLook(before)) },
    { atMs: 10_000, looks: looks.map(([before, after]) => aLook({ ...before, ...after })) },
  );

const rowsOf = (table: string): readonly (readonly string[])[] =>
  table
    .split("\n")
    .filter((line) => line.includes("│"))
    .map((line) =>
      line
        .split("│")
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );

test("only where more arrives than is worked off is never; where nothing was worked off nobody can tell", () => {
  const rows = rowsOf(
    lagAsTable(
      reportOf(
        [{ partition: 0, end: 100, ageS: 60 }, { next: 20 }],
        [{ partition: 1, end: 100, ageS: 60 }, {}],
        [
          { partition: 2, end: 100, ageS: 60 },
          { next: 5, end: 160 },
        ],
        [{ partition: 3 }, {}],
        [{ partition: 4, end: 9, ageS: 1 }, { end: 10 }],
      ),
      PIPE,
    ),
  );
  expect(rows).toEqual([
    ["Topic", "Partition", "Records", "Age", "Worked off", "Arrived", "Drained in"],
    ["erp.sales.orders", "0", "80", "1 min", "2.0 /s", "0 /s", "40 s"],
    ["erp.sales.orders", "1", "100", "1 min", "0 /s", "0 /s", "–"],
    ["erp.sales.orders", "2", "155", "1 min", "0.5 /s", "6.0 /s", "never"],
    ["erp.sales.orders", "3", "0", "0 s", "0 /s", "0 /s", "0 s"],
    ["erp.sales.orders", "4", "10", "1 s", "0 /s", "0.1 /s", "–"],
    ["all", "5", "345", "1 min", "2.5 /s", "6.1 /s", "never"],
  ]);
});

test("why a partition waits is a column of its own, only where one does", () => {
  const rows = rowsOf(lagAsTable(reportOf([{ paused: "quota" }, {}], [{ partition: 1 }, {}]), PIPE));
  expect(rows.map((row) => row[7])).toEqual(["Waits for", "quota", "", ""]);
});

test("with colours idle partitions step back and the total stands out; without, there is not one escape", () => {
  const report = reportOf([{ end: 9 }, {}], [{ partition: 1 }, {}]);
  const lines = lagAsTable(report, COLOURS).split("\n");
  expect(lines.filter((line) => line.includes("\u001b[2m")).map(stripVTControlCharacters)).toEqual([
    expect.stringMatching(/│ erp\.sales\.orders │ +1 │/),
  ]);
  expect(lines.findLast((line) => line.includes("\u001b[1m"))).toContain("all");
  expect(stripVTControlCharacters(lines.join("\n"))).toBe(lagAsTable(report, PIPE));
});

test("a table with long names fits into 110 columns", () => {
  const topic = "erp.sell-sink.dead-letters.replay";
  const table = lagAsTable(reportOf([{ topic, end: 12_345, ageS: 86_399 }, { next: 1 }]), PIPE);
  expect(Math.max(...table.split("\n").map((line) => line.length))).toBeLessThanOrEqual(110);
});
