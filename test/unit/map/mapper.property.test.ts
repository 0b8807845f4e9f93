import * as fc from "fast-check";
import { expect, test } from "vitest";
import { type Change, type ColumnValue, type Op, type Row, UNAVAILABLE } from "../../../src/domain/change.ts";
import { compileRoutes } from "../../../src/map/mapper.ts";
import { aRecord, KEY_FIELD, routesOf } from "./builders.ts";

const mapper = compileRoutes(
  routesOf(
    {
      key: { template: "C-${id}" },
      fields: {
        name: "a",
        email: { from: "b", transform: ["trim", "lowercase"] },
        phone: { from: "c", transform: { phone: "DE" }, write: "onCreate" },
        tags: { from: "d", transform: { split: "," } },
        "custom_fields.amount": { from: "a", as: "decimal(2)", default: "0" },
        "custom_fields.day": { from: "b", transform: { date: { zone: "Europe/Berlin" } } },
        "custom_fields.note": { template: "${a}/${__proto__}" },
        parent_organization_id: { ref: "accounts", key: { template: "C-${parent}" } },
      },
      when: { state: { not: "x" } },
      onDelete: { update: { customer_status: "past", "custom_fields.last": { template: "${id}" } } },
    },
    {
      entity: "contacts",
      key: "id",
      fields: { last_name: { from: "a", values: { x: 1 }, default: 2 } },
      onDelete: "delete",
    },
  ),
  KEY_FIELD,
);

const columnNames = fc.constantFrom("id", "a", "b", "c", "d", "parent", "state", "__proto__", "constructor");
const values: fc.Arbitrary<ColumnValue> = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.double(),
  fc.boolean(),
  fc.constantFrom<ColumnValue>(null, UNAVAILABLE, "12.30", "2026-02-28T01:00:00", "+49 30 901820", { $base64: "AA==" }),
  fc.jsonValue({ maxDepth: 3 }).map((value) => value as ColumnValue),
);
const rows: fc.Arbitrary<Row> = fc
  .dictionary(columnNames, values, { noNullPrototype: false })
  .map((columns) => Object.assign(Object.create(null), columns));
const changes: fc.Arbitrary<Change> = fc.record({
  op: fc.constantFrom<Op>("c", "u", "d", "r", "upsert"),
  key: fc.option(rows),
  before: fc.option(rows),
  after: fc.option(rows),
  version: fc.constant(null),
  origin: fc.constantFrom("streamed", "snapshot", "incremental", "unknown"),
  tombstone: fc.boolean(),
  sourceTsMs: fc.constant(null),
  txId: fc.constant(null),
});

const REASONS = ["no-identity", "bad-value", "value-not-listed", "mapping-error"];

test("any rows give mutations, a skip or an errant of a known reason; nothing throws and no input changes", () => {
  fc.assert(
    fc.property(changes, (change) => {
      const before = structuredClone(change);
      const result = mapper.map(change, aRecord());
      expect(change).toEqual(before);
      if (result.status === "errant") expect(REASONS).toContain(result.errant.reason);
      if (result.status !== "mutations") return;
      expect(result.mutations.length).toBeGreaterThan(0);
      for (const mutation of result.mutations) {
        expect(mutation.key).not.toBe("");
        const bodies = { fields: mutation.fields, onCreate: mutation.onCreate };
        expect(JSON.parse(JSON.stringify(bodies))).toEqual(withoutNegativeZero(bodies));
        expect(JSON.stringify(bodies)).not.toContain("$unavailable");
      }
    }),
    { numRuns: 2_000 },
  );
});

test("each column is written, cleared or left alone by its own state, whatever the others are", () => {
  const states = fc.constantFrom<ColumnValue | undefined>("v", null, UNAVAILABLE, undefined);
  const fields = { name: "a", email: "b", phone: "c" };
  const plain = compileRoutes(routesOf({ fields }), KEY_FIELD);
  fc.assert(
    fc.property(fc.record({ a: states, b: states, c: states }), (row) => {
      const sent = Object.entries(row).filter(([, value]) => value !== undefined);
      const after: Row = Object.assign(Object.create(null), Object.fromEntries(sent), { id: 1 });
      const change = {
        op: "u",
        key: null,
        before: null,
        after,
        version: null,
        origin: "streamed",
        tombstone: false,
      } as const;
      const result = plain.map({ ...change, sourceTsMs: null, txId: null }, aRecord());
      const known = Object.entries(fields).filter(([, column]) => ["v", null].includes(row[column as "a"] as string));
      expect(result).toMatchObject({ mutations: [{ complete: known.length === 3 }] });
      expect(result.status === "mutations" && result.mutations[0]?.fields).toEqual(
        Object.fromEntries(known.map(([name, column]) => [name, row[column as "a"]])),
      );
    }),
  );
});

/** JSON has no -0. */
const withoutNegativeZero = (value: unknown): unknown =>
  typeof value === "object" && value !== null
    ? Array.isArray(value)
      ? value.map(withoutNegativeZero)
      : Object.fromEntries(Object.entries(value).map(([name, member]) => [name, withoutNegativeZero(member)]))
    : value === 0
      ? 0
      : value;
