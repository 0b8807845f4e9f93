import fc from "fast-check";
import { expect, test } from "vitest";
import { envelopeOf, keyOf } from "../../../src/demo/envelope.ts";
import type { ErpChange } from "../../../src/demo/tables.ts";

const anOrder = (total: number): ErpChange => ({
  table: "orders",
  op: "c",
  before: null,
  after: {
    order_no: "SO-1",
    contact_id: 3,
    total,
    currency: "EUR",
    status: "open",
    deliver_on: "1970-01-02",
    revision: 1,
    touched_at: "2026-01-05T08:00:00.000Z",
  },
  revision: 1,
  alters: true,
});

const moneyOnTheWire = (total: number): Buffer => {
  const { after } = envelopeOf(anOrder(total), { lsn: 1, tsMs: 2 }, (unscaled) => unscaled);
  const value = after?.["total"];
  if (!Buffer.isBuffer(value)) throw new Error("money is not bytes");
  return value;
};

test("money is the shortest two's complement that holds it", () => {
  expect(moneyOnTheWire(1_234_567).toString("hex")).toBe("12d687");
  expect(moneyOnTheWire(128).toString("hex")).toBe("0080");
  expect(moneyOnTheWire(-1).toString("hex")).toBe("ff");
  expect(moneyOnTheWire(0).toString("hex")).toBe("00");
  fc.assert(
    fc.property(fc.maxSafeInteger(), (cents) => {
      const bytes = moneyOnTheWire(cents);
      expect(BigInt.asIntN(bytes.length * 8, BigInt(`0x${bytes.toString("hex")}`))).toBe(BigInt(cents));
    }),
  );
});

test("a date is a number of days, and the key is the primary key's column alone", () => {
  expect(envelopeOf(anOrder(1), { lsn: 1, tsMs: 2 }, () => "").after).toMatchObject({ deliver_on: 1 });
  expect(keyOf(anOrder(1))).toEqual({ order_no: "SO-1" });
});
