import { expect, test } from "vitest";
import { toSourceRecords } from "../../../src/source/source-record.ts";

const aMessage = (timestamp: string) => ({
  ...{ offset: "7", timestamp, key: null, value: null, headers: {} },
  attributes: 0,
});

test("a record is as old as its timestamp; one without is as old as its reading, not as the calendar", () => {
  const records = toSourceRecords([aMessage("1700000000000"), aMessage("-1")], 1_800_000_000_000);
  expect(records.map(({ timestampMs }) => timestampMs)).toEqual([1_700_000_000_000, 1_800_000_000_000]);
});
