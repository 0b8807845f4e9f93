import { describe, expect, test } from "vitest";
import { type ColumnValue, UNAVAILABLE } from "../../../src/domain/change.ts";
import { compileRoutes } from "../../../src/map/mapper.ts";
import { aChange, anUpdateTo, aRecord, aRow, errantOf, KEY_FIELD, mapped, mutationOf, routesOf } from "./builders.ts";

describe("an inserted or updated row", () => {
  test("becomes an upsert that carries the change's own facts and the raw record", () => {
    const record = aRecord();
    const version = { kind: "lsn", parts: ["12"] };
    const change = aChange({ op: "c", version, sourceTsMs: 99 });
    const result = compileRoutes(routesOf({ name: "customers" }), KEY_FIELD).map(change, record);
    expect(result).toEqual({
      status: "mutations",
      mutations: [
        {
          entity: "accounts",
          key: "7",
          action: "upsert",
          fields: { name: "Nordlicht" },
          onCreate: {},
          onMissing: "recreate",
          refs: [],
          complete: true,
          lane: "live",
          route: "customers",
          version,
          origin: "streamed",
          tombstone: false,
          isDelete: false,
          sourceTsMs: 99,
          record,
        },
      ],
    });
  });

  test.each([
    ["upsert", "upsert"],
    ["updateOnly", "update"],
    ["createOnly", "create"],
  ])("in mode %s is a mutation with action %s", (mode, action) => {
    expect(mutationOf({ mode }, aChange()).action).toBe(action);
  });

  test.each([
    ["a value", { name: "N" }, { name: "N" }, true],
    ["null", { name: null }, { name: null }, true],
    ["unavailable", { name: UNAVAILABLE }, {}, false],
    ["absent", {}, {}, false],
  ])("with a column that is %s writes it, clears the field, or leaves it alone", (_, row, fields, complete) => {
    expect(mutationOf({}, anUpdateTo(row))).toMatchObject({ complete });
    expect(mutationOf({}, anUpdateTo(row)).fields).toEqual(fields);
  });

  test("puts dotted fields into their group, and the rest of the path is one name", () => {
    const fields = { "address.city": "city", "address.line1": "street", "custom_fields.v1.2": "n", name: "name" };
    const row = { city: "Kiel", street: null, n: 1, name: "N" };
    expect(mutationOf({ fields }, anUpdateTo(row)).fields).toEqual({
      address: { city: "Kiel", line1: null },
      custom_fields: { "v1.2": 1 },
      name: "N",
    });
  });

  test("keeps fields written on creation apart", () => {
    const fields = {
      name: "name",
      owner_id: { value: 4711, write: "onCreate" },
      phone: { from: "tel", write: "onCreate" },
    };
    expect(mutationOf({ fields }, anUpdateTo({ name: "N", tel: "1" }))).toMatchObject({
      fields: { name: "N" },
      onCreate: { owner_id: 4711, phone: "1" },
    });
  });
});

describe("a reference", () => {
  const deals = (key: unknown) => ({ entity: "deals", fields: { contact_id: { ref: "accounts", key } } });

  test("names the other record by its final key", () => {
    expect(mutationOf(deals({ template: "C-${customer}" }), anUpdateTo({ customer: 12 }))).toMatchObject({
      fields: {},
      refs: [{ field: "contact_id", entity: "accounts", key: "C-12" }],
      complete: true,
    });
  });

  test.each([
    ["null", null],
    ["empty", ""],
    ["blank", "   "],
  ])("that is %s clears the field", (_, customer) => {
    expect(mutationOf(deals({ template: "C-${customer}" }), anUpdateTo({ customer }))).toMatchObject({
      fields: { contact_id: null },
      refs: [],
    });
  });

  test("that was not sent leaves the field alone", () => {
    const mutation = mutationOf(deals("customer"), anUpdateTo({ customer: UNAVAILABLE }));
    expect(mutation).toMatchObject({ refs: [], complete: false });
    expect(mutation.fields).toEqual({});
  });
});

describe("the key", () => {
  test.each([
    ["a number", "id", { id: 42 }, "42"],
    ["exact text of a large integer", "id", { id: "9007199254740993" }, "9007199254740993"],
    ["a decimal at its scale", "id", { id: "12.00" }, "12.00"],
    ["text without CHAR padding", "id", { id: "0042   " }, "0042"],
    ["a template over several columns", { template: "${region}-${id}" }, { region: "EU", id: 1 }, "EU-1"],
  ])("is %s", (_, key, row, text) => {
    expect(mutationOf({ key }, aChange({ key: aRow(row) })).key).toBe(text);
  });

  test("may come from the row where the record key lacks the column or has it null", () => {
    const after = aRow({ id: 7, name: "N", number: "K1" });
    expect(mutationOf({ key: "number" }, aChange({ after })).key).toBe("K1");
    expect(mutationOf({ key: "number" }, aChange({ after, key: aRow({ number: null }) })).key).toBe("K1");
  });

  test.each([
    ["null", { number: null }],
    ["empty", { number: " " }],
    ["absent", {}],
    ["unavailable", { number: UNAVAILABLE }],
  ])("with a part that is %s makes the record errant", (_, row) => {
    const errant = errantOf({ key: { template: "K-${number}" } }, anUpdateTo({ name: "N", ...row }));
    expect(errant).toMatchObject({ stage: "map", reason: "no-identity" });
  });
});

describe("a deleted row", () => {
  const gone = (change = {}) =>
    aChange({ op: "d", after: null, before: aRow({ id: 7, name: "", number: "" }), ...change });

  test("is skipped by default", () => {
    expect(mapped({}, gone())).toEqual({ status: "skip", reason: "delete-ignored" });
  });

  test("becomes a delete under the record key", () => {
    expect(mutationOf({ onDelete: "delete" }, gone())).toMatchObject({ action: "delete", key: "7", fields: {} });
  });

  test("as a tombstone, of which only the key is left, becomes the same delete", () => {
    const tombstone = gone({ before: null, tombstone: true });
    expect(mutationOf({ onDelete: "delete" }, tombstone)).toMatchObject({
      action: "delete",
      key: "7",
      tombstone: true,
    });
  });

  test("without record key is found by its row before, which can only be whole", () => {
    const change = gone({ key: null, before: aRow({ id: 8 }) });
    expect(mutationOf({ onDelete: "delete" }, change).key).toBe("8");
  });

  test("never takes a key from filler: default replica identity tells nothing but the record key", () => {
    const change = gone({ before: aRow({ id: 7, number: "0" }) });
    const errant = errantOf({ onDelete: "delete", key: "number" }, change);
    expect(errant.reason).toBe("no-identity");
    expect(errant.message).toContain("replicaIdentity: full");
    expect(mutationOf({ onDelete: "delete", key: "number", replicaIdentity: "full" }, change).key).toBe("0");
  });

  test("becomes an update that never creates, with given values, in which plain text is the value itself", () => {
    const onDelete = { update: { customer_status: "past", "custom_fields.note": { template: "was ${id}" } } };
    expect(mutationOf({ onDelete }, gone())).toMatchObject({
      action: "update",
      fields: { customer_status: "past", custom_fields: { note: "was 7" } },
      complete: false,
    });
  });

  test("is errant when an update would have nothing to write", () => {
    expect(errantOf({ onDelete: { update: { name: { from: "name" } } } }, gone()).reason).toBe("mapping-error");
  });
});

describe("the lane", () => {
  test.each([
    ["a streamed change", {}, {}, "live"],
    ["a snapshot read", {}, { op: "r" as const, origin: "snapshot" as const }, "backfill"],
    ["an incremental read", {}, { op: "r" as const, origin: "incremental" as const }, "backfill"],
    ["any change of a backfill route", { lane: "backfill" }, {}, "backfill"],
  ])("of %s", (_, route, change, lane) => {
    expect(mutationOf(route, aChange(change)).lane).toBe(lane);
  });
});

describe("several routes on a topic", () => {
  const routes = routesOf(
    { entity: "accounts", when: { kind: "company" } },
    { entity: "contacts", fields: { last_name: "name" }, when: { kind: { in: ["person", "company"] } } },
  );
  const mapper = compileRoutes(routes, KEY_FIELD);

  test("each that matches gives a mutation, in their order", () => {
    const result = mapper.map(anUpdateTo({ name: "N", kind: "company" }), aRecord());
    expect(result).toMatchObject({ mutations: [{ entity: "accounts" }, { entity: "contacts" }] });
  });

  test("none that matches is a skip with its reason", () => {
    expect(mapper.map(anUpdateTo({ kind: "other" }), aRecord())).toEqual({ status: "skip", reason: "filtered" });
    expect(mapper.map(aChange(), aRecord("elsewhere"))).toEqual({ status: "skip", reason: "no-route" });
  });

  test("one that cannot write makes the whole record errant, naming route and field but no value", () => {
    const change = anUpdateTo({ name: { $base64: "c2VjcmV0" }, kind: "company" });
    const result = mapper.map(change, aRecord());
    expect(result).toMatchObject({ status: "errant", errant: { stage: "map", reason: "bad-value", field: "name" } });
    expect(JSON.stringify(result)).toContain("customers -> accounts");
    expect(JSON.stringify(result)).not.toContain("c2VjcmV0");
  });
});

test("routes with errors are not compiled", () => {
  expect(() => compileRoutes(routesOf({ fields: { nmae: "name" } }), KEY_FIELD)).toThrow(
    /routes\.0\.fields\.nmae.*name/,
  );
});

describe("a patch", () => {
  const patch = (columns: Record<string, ColumnValue>) => aChange({ after: aRow(columns), isPatch: true });

  test("updates what it names and never creates", () => {
    const fields = { name: "name", email: "mail" };
    expect(mutationOf({ fields }, patch({ name: null }))).toMatchObject({
      ...{ key: "7", action: "update", fields: { name: null }, complete: false },
    });
  });

  test("is not held back by a condition on what it does not name", () => {
    expect(mutationOf({ when: { status: "won" } }, patch({ name: "N" })).action).toBe("update");
    expect(mapped({ when: { status: "won" } }, patch({ name: "N", status: "lost" }))).toMatchObject({
      reason: "filtered",
    });
  });

  test.each([
    ["of unmapped columns", {}, { fax: "1" }],
    ["where records are only created", { mode: "createOnly" }, { name: "N" }],
  ])("%s is skipped", (_, route, columns) => {
    expect(mapped(route, patch(columns))).toEqual({ status: "skip", reason: "unmapped" });
  });
});

test("a route of one table leaves the rows of others alone, and those that do not tell", () => {
  const route = { table: "sales.customers" };
  expect(mutationOf(route, aChange({ table: "sales.customers" })).key).toBe("7");
  expect(mapped(route, aChange({ table: "sales.orders" }))).toEqual({ status: "skip", reason: "other-table" });
  expect(mapped(route, aChange({ op: "d", tombstone: true }))).toEqual({ status: "skip", reason: "other-table" });
});
