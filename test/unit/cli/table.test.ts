import { expect, test } from "vitest";
import { tableText } from "../../../src/cli/table.ts";

const LAG = {
  head: ["Topic", "Partition", "Records", ""],
  rows: [
    ["erp.sales.customers", 0, "1,234", "waits: paused"],
    ["erp.sales.customers", 1, "0", ""],
  ],
  aligned: ["left", "right", "right", "left"],
} as const;

test.each([null, 80])("in %s columns it is drawn", (columns) => {
  const text = tableText(LAG, { columns, hasColors: false });
  expect(text.split("\n")).toHaveLength(5);
  expect(text).toContain("│ erp.sales.customers │         0 │   1,234 │ waits: paused │");
});

test("on a screen too narrow for it every row is a line that names its columns", () => {
  const rows = [
    "erp.sales.customers: partition 0, records 1,234, waits: paused",
    "erp.sales.customers: partition 1, records 0",
  ];
  expect(tableText(LAG, { columns: 40, hasColors: true })).toBe(rows.join("\n"));
});

test("a head in bold does not count for the width", () => {
  const narrow = { head: ["A", "B"], rows: [["a", 1]], aligned: ["left", "right"] } as const;
  expect(tableText(narrow, { columns: 9, hasColors: true })).toContain("│");
});
