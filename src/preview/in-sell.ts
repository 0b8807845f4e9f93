/** Asks the CRM what it holds of the records that mutations are about: one question a record, each with a permit. Reads only. */
import type { Entity, Mutation } from "../domain/mutation.ts";
import type { FoundRecord } from "../domain/search.ts";
import { entryId } from "../window/entry.ts";
import { type AskedSell, OPENING_CALLS } from "../wiring/ask-sell.ts";
import { type Comparison, compare } from "./compare.ts";
import type { PreviewedRecord } from "./preview.ts";

export interface Questions {
  /** Each record once, those that others point to included. */
  readonly records: readonly { readonly entity: Entity; readonly key: string }[];
  /** Of the quota; more where `isLeast`, since lists of names have pages. */
  readonly calls: number;
  readonly isLeast: boolean;
}

/** Before anybody is asked. */
export const questionsOf = (previewed: readonly PreviewedRecord[]): Questions => {
  const mutations = mutationsIn(previewed).filter(isComparable);
  const asked = mutations.flatMap(({ entity, key, refs }) => [{ entity, key }, ...refs]);
  const records = new Map(asked.map(({ entity, key }) => [entryId(entity, key), { entity, key }]));
  const lists = listsFor(mutations);
  return { records: [...records.values()], calls: OPENING_CALLS + records.size + lists, isLeast: lists > 0 };
};

/** The answers by mutation. Rejects like `Target.open`, or with `signal.reason`; `tell` hears of each answer. */
export const comparisonsOf = async (
  previewed: readonly PreviewedRecord[],
  { target, permit }: AskedSell,
  tell: (answered: number) => void,
  signal: AbortSignal,
): Promise<ReadonlyMap<Mutation, Comparison>> => {
  const { records } = questionsOf(previewed);
  const held = new Map<string, readonly FoundRecord[]>();
  for (const { entity, key } of records) {
    const found = await target.search({ entity, key }, permit, signal);
    held.set(entryId(entity, key), found.records);
    tell(held.size);
  }
  const comparisons = new Map<Mutation, Comparison>();
  for (const mutation of mutationsIn(previewed))
    comparisons.set(mutation, await comparisonOf(mutation, held, { target, permit }, signal));
  return comparisons;
};

const comparisonOf = async (
  mutation: Mutation,
  held: ReadonlyMap<string, readonly FoundRecord[]>,
  { target, permit }: Pick<AskedSell, "target" | "permit">,
  signal: AbortSignal,
): Promise<Comparison> => {
  if (!isComparable(mutation)) return NOT_COMPARED;
  const { entity, key, refs } = mutation;
  const fields = await target.asWritten(entity, mutation.fields, permit, signal);
  if ("why" in fields) return { is: "dead-letter", ids: [], why: fields.why };
  const onCreate = await target.asWritten(entity, mutation.onCreate, permit, signal);
  if ("why" in onCreate) return { is: "dead-letter", ids: [], why: onCreate.why };
  const foundOf = (of: Entity, by: string): readonly FoundRecord[] => held.get(entryId(of, by)) ?? [];
  const referred = refs.map((ref) => ({ ...ref, id: foundOf(ref.entity, ref.key)[0]?.id ?? null }));
  const written = { ...mutation, fields: fields.fields, onCreate: onCreate.fields };
  return compare(written, foundOf(entity, key), referred);
};

const mutationsIn = (previewed: readonly PreviewedRecord[]): readonly Mutation[] =>
  previewed.flatMap(({ mapped }) => (mapped.status === "mutations" ? mapped.mutations : []));

/** The CRM keeps an order under its deal, and its lines one by one. */
const isComparable = ({ entity }: Mutation): boolean => entity !== "orders";

const NOT_COMPARED: Comparison = {
  is: "not-compared",
  why: "an order is compared line by line when it is written",
};

/** Lists that people's names are looked up in. */
const listsFor = (mutations: readonly Mutation[]): number => {
  const values = mutations.flatMap(({ fields, onCreate }) => [...Object.values(fields), ...Object.values(onCreate)]);
  const has = (marker: string): boolean =>
    values.some((value) => typeof value === "object" && value !== null && marker in value);
  return (has("$owner") ? 1 : 0) + (has("$stage") ? 2 : 0);
};
