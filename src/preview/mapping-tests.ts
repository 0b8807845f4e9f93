/** Unit tests of mappings: given records, and what shall become of each. Read from YAML, judged without any service. */
import { z } from "zod";
import type { Mapped, Mutation, Ref } from "../domain/mutation.ts";
import { type Difference, differences } from "./differences.ts";
import type { Given } from "./given.ts";

const members = z.record(z.string(), z.unknown());

const mutation = z.strictObject({
  entity: z.enum(["accounts", "contacts", "leads", "products", "deals", "orders"]),
  key: z.union([z.string(), z.number()]).transform(String),
  action: z.enum(["upsert", "create", "update", "delete"]).optional(),
  fields: members.optional(),
  onCreate: members.optional(),
  refs: z.record(z.string(), z.string()).optional(),
});

const record = z.strictObject({
  key: z.unknown().optional(),
  value: z.unknown(),
  headers: z.record(z.string(), z.string()).default({}),
});

const testCase = z
  .strictObject({
    name: z.string().min(1),
    topic: z.string().min(1).optional(),
    row: members.optional(),
    deleted: members.optional(),
    envelope: members.optional(),
    record: record.optional(),
    expect: z.union([
      z.strictObject({ skip: z.string() }),
      z.strictObject({ deadLetter: z.string() }),
      z.array(mutation).min(1),
    ]),
  })
  .refine((test) => KINDS.filter((kind) => test[kind] !== undefined).length === 1, {
    error: "give exactly one of row, deleted, envelope and record",
  });

const KINDS = ["row", "deleted", "envelope", "record"] as const;

export const testFileSchema = z.strictObject({
  /** The configuration under test, from the folder of this file. */
  config: z.string().min(1),
  tests: z.array(testCase).min(1),
});

export type MappingTest = z.infer<typeof testCase>;

/** The record that a test gives. */
export const givenOf = ({ row, deleted, envelope, record }: MappingTest): Given => {
  if (record !== undefined)
    return { kind: "record", key: record.key ?? null, value: record.value, headers: record.headers };
  const rest = { key: null, headers: {} };
  if (row !== undefined) return { ...rest, kind: "row", value: row };
  if (deleted !== undefined) return { ...rest, kind: "deleted", value: deleted };
  return { ...rest, kind: "envelope", value: envelope };
};

/** Empty: it is as expected. What an expected mutation does not name is not compared; what it names, as a whole. */
export const judge = ({ expect }: MappingTest, mapped: Mapped): readonly Difference[] => {
  const actual = outcomeOf(mapped);
  if (!Array.isArray(expect)) return differences(expect, actual);
  if (mapped.status !== "mutations") return [{ path: "", expected: { mutations: expect.length }, actual }];
  const { mutations } = mapped;
  if (mutations.length !== expect.length)
    return [
      { path: "mutations", expected: expect.length, actual: mutations.map(({ entity, key }) => `${entity} ${key}`) },
    ];
  return expect.flatMap((wanted, at) => {
    const found = mutations[at];
    const path = expect.length === 1 ? "" : `${at + 1}.`;
    if (found === undefined) return [];
    const shown: Readonly<Record<string, unknown>> = { ...found, refs: refsOf(found) };
    return Object.entries(wanted).flatMap(([name, value]) => differences(value, shown[name], path + name));
  });
};

const outcomeOf = (mapped: Mapped): unknown => {
  switch (mapped.status) {
    case "skip":
      return { skip: mapped.reason };
    case "errant":
      return { deadLetter: mapped.errant.reason };
    case "mutations":
      return { mutations: mapped.mutations.map(({ action, entity, key }) => `${action} ${entity} ${key}`) };
  }
};

const refsOf = ({ refs }: Mutation): Readonly<Record<string, string>> =>
  Object.fromEntries(refs.map(({ field, entity, key }: Ref) => [field, `${entity} ${key}`]));
