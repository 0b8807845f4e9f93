/** What a mutation would change of the record that the CRM holds now, field by field. Pure. */
import { isDeepStrictEqual } from "node:util";
import type { Entity, Fields, FieldValue, Mutation } from "../domain/mutation.ts";
import { isOwnTags, mergedTags } from "../domain/own-tags.ts";
import type { FoundRecord } from "../domain/search.ts";
import { isObject } from "./given.ts";

export interface FieldChange {
  /** `custom_fields.credit_limit`. */
  readonly field: string;
  /** Null: the CRM holds nothing. */
  readonly from: unknown;
  readonly to: unknown;
}

export type Comparison =
  /** `fields`: what would be written first, and `onCreate` after it. */
  | { readonly is: "created"; readonly fields: readonly FieldChange[] }
  | {
      readonly is: "changed";
      readonly id: number;
      readonly changes: readonly FieldChange[];
      readonly unchanged: readonly string[];
    }
  | { readonly is: "unchanged"; readonly id: number; readonly unchanged: readonly string[] }
  | { readonly is: "deleted"; readonly id: number }
  /** Nothing would be written. */
  | { readonly is: "left-alone"; readonly id: number | null; readonly why: string }
  /** Nobody can tell which record is meant, or what would be written: it would become a dead letter. */
  | { readonly is: "dead-letter"; readonly ids: readonly number[]; readonly why: string }
  | { readonly is: "not-compared"; readonly why: string };

/** A reference, once its parent was asked for. `id` null: it is not there, and the record would wait for it. */
export interface Referred {
  readonly field: string;
  readonly entity: Entity;
  readonly key: string;
  readonly id: number | null;
}

/** `found`: the records with its key. `fields` as a request would hold them. */
export const compare = (
  { action, fields, onCreate }: Pick<Mutation, "action" | "fields" | "onCreate">,
  found: readonly FoundRecord[],
  referred: readonly Referred[],
): Comparison => {
  const [record, ...others] = found;
  if (others.length > 0) return { is: "dead-letter", ids: found.map(({ id }) => id), why: AMBIGUOUS };
  if (record === undefined) return missing(action, [...changesOf(fields, referred), ...changesOf(onCreate, [])]);
  const { id } = record;
  if (action === "delete") return { is: "deleted", id };
  if (action === "create") return { is: "left-alone", id, why: "it is there, and the route only creates" };
  const rows = rowsOf(fields, referred, record.fields);
  const unchanged = rows.filter(({ isSame }) => isSame).map(({ field }) => field);
  const changes = rows.filter(({ isSame }) => !isSame).map(({ field, from, to }) => ({ field, from, to }));
  return changes.length === 0 ? { is: "unchanged", id, unchanged } : { is: "changed", id, changes, unchanged };
};

const AMBIGUOUS = "several records carry this ERP key; merge or delete all but one";

const missing = (action: Mutation["action"], fields: readonly FieldChange[]): Comparison => {
  switch (action) {
    case "upsert":
    case "create":
      return { is: "created", fields };
    case "update":
      return { is: "left-alone", id: null, why: "it is not there, and an update creates nothing" };
    case "delete":
      return { is: "left-alone", id: null, why: "it is not there" };
  }
};

const changesOf = (fields: Fields, referred: readonly Referred[]): readonly FieldChange[] =>
  rowsOf(fields, referred, {}).map(({ field, from, to }) => ({ field, from, to }));

interface FieldRow extends FieldChange {
  readonly isSame: boolean;
}

type Held = Readonly<Record<string, unknown>>;

const rowsOf = (fields: Fields, referred: readonly Referred[], held: Held): readonly FieldRow[] => [
  ...Object.entries(fields).flatMap(([name, value]) => rows(name, value, held[name])),
  ...referred.map(({ field, entity, key, id }) => {
    const from = held[field] ?? null;
    const to = id ?? `the id of ${entity} ${key}, once it is there`;
    return { field, from, to, isSame: from === id && id !== null };
  }),
];

/** Groups are compared member by member: the CRM keeps what is not written. */
const rows = (field: string, value: FieldValue, held: unknown): readonly FieldRow[] => {
  if (isOwnTags(value)) return tagRow(field, mergedTags(textsIn(held), value), held);
  if (isObject(value)) {
    const members = isObject(held) ? held : {};
    return Object.entries(value).flatMap(([name, member]) =>
      rows(`${field}.${name}`, member as FieldValue, members[name]),
    );
  }
  return [{ field, from: held ?? null, to: value, isSame: isSame(value, held ?? null) }];
};

const tagRow = (field: string, to: readonly string[], held: unknown): readonly FieldRow[] => [
  { field, from: textsIn(held), to, isSame: isSame(to, textsIn(held)) },
];

const textsIn = (held: unknown): readonly string[] =>
  Array.isArray(held) ? held.filter((item) => typeof item === "string") : [];

/**
 * As the CRM takes values: a list in any order, an amount with any number of zeros behind it, an instant in any zone, and
 * nothing as null or as empty text. Digits alone are compared as text: 01234 is another postal code than 1234.
 */
const isSame = (a: unknown, b: unknown): boolean => {
  if (isNothing(a) || isNothing(b)) return isNothing(a) && isNothing(b);
  if (Array.isArray(a) && Array.isArray(b))
    return a.length === b.length && a.every((item) => b.some((other) => isSame(item, other)));
  if (isObject(a) && isObject(b))
    return Object.keys({ ...a, ...b }).every((name) => isSame(a[name] ?? null, b[name] ?? null));
  if (isDeepStrictEqual(a, b) || String(a) === String(b)) return true;
  if (isAmount(a) && isAmount(b)) return Number(a) === Number(b);
  return isInstant(a) && isInstant(b) && Date.parse(a) === Date.parse(b);
};

const isNothing = (value: unknown): boolean => value === null || value === undefined || value === "";

const isAmount = (value: unknown): boolean =>
  typeof value === "number" || (typeof value === "string" && /^-?\d+\.\d+$/.test(value));

const isInstant = (value: unknown): value is string =>
  typeof value === "string" && /^\d{4}-\d{2}-\d{2}T[\d:.]+(Z|[+-]\d{2}:\d{2})$/.test(value);
