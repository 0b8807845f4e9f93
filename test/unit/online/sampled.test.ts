import { describe, expect, test } from "vitest";
import type { Decoded } from "../../../src/domain/change.ts";
import { judgeSample, type Sampled } from "../../../src/online/sampled.ts";
import { aChange, aRow } from "../map/builders.ts";

const JSON_LOOKS = { formats: ["debezium-json"], encodings: ["json"], sign: "op and source" };
const AVRO_LOOKS = { formats: ["debezium-avro", "avro"], encodings: ["confluent-avro"], sign: "a schema id" };
const NO_LOOKS = { formats: [], encodings: [], sign: "nothing" };

const read = (columns = { id: 7, name: "a" }, looks: Sampled["looks"] = JSON_LOOKS): Sampled => ({
  decoded: { status: "changes", changes: [aChange({ after: aRow(columns) })] },
  looks,
});
const errant: Decoded = { status: "errant", errant: { stage: "decode", reason: "bad-value", message: "No." } };
const broken = (looks: Sampled["looks"] = JSON_LOOKS): Sampled => ({ decoded: errant, looks });
const skipped: Sampled = { decoded: { status: "skip", reason: "truncate" }, looks: NO_LOOKS };

const judge = (samples: readonly Sampled[], expected: object = {}) =>
  judgeSample(samples, {
    topic: "t",
    format: "debezium-json",
    encoding: "json",
    columns: ["id", "name"],
    ...expected,
  }).map(({ status, sentence, next }) => `${status}: ${sentence}${next === null ? "" : ` -> ${next}`}`);

test("records of the configured format are in order, what says nothing beside them too", () => {
  expect(judge([read(), read(), skipped])).toEqual(["ok: 3 of 3 sampled records of t are debezium-json."]);
});

test("no records, no judgement", () => {
  expect(judge([])).toEqual([
    "warning: t is empty, so that its format could not be compared. -> check again once it has records",
  ]);
});

test("a few bad ones are dead letters to come, most of them mean a wrong route", () => {
  expect(judge([read(), read(), broken()])).toEqual([
    expect.stringMatching(/^warning: 1 of 3 .* bad-value\. No\. -> they/),
  ]);
  expect(judge([read(), broken(), broken()])).toEqual([
    expect.stringMatching(/^failed: 2 of 3 .* -> correct the route/),
  ]);
});

describe("another format", () => {
  test("is named by most of the records that tell one", () => {
    expect(judge([broken(), broken(), skipped], { format: "maxwell" })).toEqual([
      "failed: 2 of 3 sampled records of t do not look like maxwell (json); op and source tells debezium-json (json). -> set format: debezium-json on the route, or correct its topic",
    ]);
    expect(judge([read(), broken(NO_LOOKS)], { format: "debezium-json" })).toEqual([
      expect.stringMatching(/^warning: 1 of 2/),
    ]);
  });

  test("is not named for the sake of a few", () => {
    const looks = { formats: ["json"], encodings: ["json"], sign: "columns alone" };
    expect(judge([read(), read(), read({ id: 7, name: "a" }, looks)])).toEqual([expect.stringMatching(/^ok: 3 of 3/)]);
  });

  test("that cannot be told from others is one of a list", () => {
    expect(judge([broken(AVRO_LOOKS)])[0]).toContain("-> set format to one of debezium-avro, avro on the route");
  });

  test("of bytes alone names the encoding", () => {
    const looks = { ...AVRO_LOOKS, encodings: ["apicurio-avro-8"] };
    const expected = { format: "avro", encoding: "confluent-avro" };
    expect(judge([broken(looks)], expected)[0]).toMatch(
      /-> set format: avro and encoding: apicurio-avro-8 on the route/,
    );
  });

  test("shows in the rows of Avro, whose bytes do not tell it", () => {
    const envelope = { id: 1, op: "c", source: "s", after: "row" };
    const expected = { format: "avro", encoding: "confluent-avro" };
    expect(judge([read(envelope as never, AVRO_LOOKS)], expected)[0]).toContain(
      "set format: debezium-avro on the route",
    );
    expect(judge([broken(AVRO_LOOKS)], { ...expected, format: "debezium-avro" })[0]).toContain("may also be avro");
  });
});

test("a column that no row has is named; deletes alone tell nothing of columns", () => {
  expect(judge([read()], { columns: ["id", "nmae", "zip"] }).slice(1)).toEqual([
    'warning: No sampled record of t has the column "nmae" that the mapping reads. -> did you mean name?',
    'warning: No sampled record of t has the column "zip" that the mapping reads. -> they have id, name',
  ]);
  const deleted: Decoded = { status: "changes", changes: [aChange({ op: "d", after: null })] };
  expect(judge([{ decoded: deleted, looks: JSON_LOOKS }], { columns: ["zip"] })).toHaveLength(1);
});
