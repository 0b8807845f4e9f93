import { describe, expect, test } from "vitest";
import { unavailableBy } from "../../../src/decode/unavailable.ts";
import { UNAVAILABLE } from "../../../src/domain/change.ts";
import { aRecord, changeOf, decoderOf } from "./support.ts";

const MARKER = "__debezium_unavailable_value";

/** One placeholder in the forms that its column's type gives it. */
const formsOf = (text: string, bytes: Buffer, uuid: string): readonly [form: string, raw: never][] =>
  [
    ["text, JSON, hexadecimal mode", text],
    ["bytes in JSON", bytes.toString("base64")],
    ["bytes in Avro", bytes],
    ["text[]", [text]],
    ["bytea[] in JSON", [bytes.toString("base64")]],
    ["bytea[] in Avro", [bytes]],
    ["int[], signed", [...new Int8Array(bytes)]],
    ["int[], unsigned", [...bytes]],
    ["uuid[]", [uuid]],
    ["hstore as a map", Object.assign(Object.create(null), { [text]: text })],
    ["hstore as text", JSON.stringify({ [text]: text })],
  ] as [string, never][];

const isNoUuid = ([form]: readonly [string, never]) => form !== "uuid[]";

describe("the placeholder of an untouched column", () => {
  test.each(formsOf(MARKER, Buffer.from(MARKER), "b68a35a7-17ad-35b3-af2a-ae46edb4545a"))("as %s", (_, raw) =>
    expect(unavailableBy()(raw)).toBe(true),
  );

  test.each(formsOf("not sent", Buffer.from("not sent"), "").filter(isNoUuid))("of another name as %s", (_, raw) => {
    expect(unavailableBy("not sent")(raw)).toBe(true);
    expect(unavailableBy()(raw)).toBe(false);
  });

  test.each(
    formsOf(Buffer.from("80ff00", "hex").toString(), Buffer.from("80ff00", "hex"), "").filter(
      ([form]) => form !== "uuid[]",
    ),
  )("of bytes as %s", (_, raw) => expect(unavailableBy("hex:80ff00")(raw)).toBe(true));

  test.each<readonly [string, unknown]>([
    ["a text that goes on", `${MARKER}.`],
    ["a list of two", [MARKER, MARKER]],
    ["an empty list", []],
    ["a map that says more", { [MARKER]: MARKER, a: "b" }],
    ["null", null],
    ["a number", 95],
    ["codes that differ", [...Buffer.from(MARKER)].with(3, 94)],
    ["codes that are none", [...Buffer.from(MARKER)].map((code) => code + 256)],
  ])("is not %s", (_, raw) => expect(unavailableBy()(raw as never)).toBe(false));

  test("is what the route says it is, and the usual one then is a value", () => {
    const decode = decoderOf({ format: "json", keyColumns: ["id"], unavailableValuePlaceholder: "\u0000?" });
    const { after } = changeOf(decode(aRecord(JSON.stringify({ id: 1, note: "\u0000?", text: MARKER }))));
    expect({ ...after }).toEqual({ id: 1, note: UNAVAILABLE, text: MARKER });
  });
});
