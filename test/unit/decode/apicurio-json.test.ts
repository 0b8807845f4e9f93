import { expect, test } from "vitest";
import { aRecord, changeOf, decoderOf, reasonOf } from "./support.ts";

const decode = decoderOf({ format: "debezium-json", encoding: "apicurio-json", keyEncoding: "json" });

const ENVELOPE = '{"op":"c","before":null,"after":{"id":9007199254740993},"source":{"connector":"mysql"}}';
const prefixed = (...id: readonly number[]) => Buffer.concat([Buffer.from([0, ...id]), Buffer.from(ENVELOPE)]);

test.each([
  ["with schemaId", `{"schemaId":3,"payload":${ENVELOPE}}`],
  ["with id, as the first versions have it", `{"id":3,"payload":${ENVELOPE}}`],
  ["behind eight bytes", prefixed(0, 0, 0, 0, 0, 0, 0, 3)],
  ["behind four bytes", prefixed(0, 0, 0, 3)],
  ["behind four bytes that look like text", prefixed(0x7b, 0x7b, 0x7b, 0x7b)],
])("%s", (_, value) => expect(changeOf(decode(aRecord(value))).after).toEqual({ id: "9007199254740993" }));

test("a payload of null is a delete", () => {
  expect(changeOf(decode(aRecord('{"schemaId":3,"payload":null}')))).toMatchObject({ op: "d", tombstone: false });
});

test.each([
  ["shape-mismatch", ENVELOPE],
  ["shape-mismatch", "[1]"],
  ["invalid-json", prefixed()],
  ["invalid-json", Buffer.from([0, 0, 0, 0, 3])],
  ["invalid-json", Buffer.from([0])],
])("%s", (reason, value) => expect(reasonOf(decode(aRecord(value)))).toBe(reason));
