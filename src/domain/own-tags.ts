/** Tags that people and the connector share: which of a record's tags stay. */
import type { FieldValue, OwnTags } from "./mutation.ts";

export const isOwnTags = (value: FieldValue | undefined): value is OwnTags =>
  typeof value === "object" && value !== null && "$tags" in value && "$own" in value;

/** People's tags in their order, then ours. */
export const mergedTags = (current: readonly string[], { $tags, $own, $prefix }: OwnTags): readonly string[] => {
  const isOurs = (tag: string): boolean => $own.includes(tag) || ($prefix !== null && tag.startsWith($prefix));
  return [...new Set([...current.filter((tag) => !isOurs(tag) || $tags.includes(tag)), ...$tags])];
};
