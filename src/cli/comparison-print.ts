/** What a mutation would change in Sell, a line a field. What records hold may be anything, so all of it is made printable. */
import { countText } from "../lib/numbers.ts";
import type { Comparison, FieldChange } from "../preview/compare.ts";
import { printable } from "../telemetry/text.ts";
import { styled, type Terminal } from "./terminal.ts";

/** Null: it was not compared with anything. */
export const comparisonLines = (comparison: Comparison | undefined, terminal: Terminal): readonly string[] | null => {
  switch (comparison?.is) {
    case undefined:
      return null;
    case "created":
      return [
        `    ${styled(terminal, "green", "would be created")}: Sell has no such record`,
        ...comparison.fields.map(({ field, to }) => `      ${printable(field)}: ${shown(to)}`),
      ];
    case "changed":
      return [
        `    ${styled(terminal, "yellow", "would change")} record ${comparison.id}`,
        ...comparison.changes.map((change) => changeLine(change)),
        ...comparison.unchanged.map(unchangedLine),
      ];
    case "unchanged":
      return [`    unchanged: record ${comparison.id} holds all of it`, ...comparison.unchanged.map(unchangedLine)];
    case "deleted":
      return [`    ${styled(terminal, "red", "would be deleted")}: record ${comparison.id}`];
    case "left-alone":
      return [`    left alone: ${comparison.why}`];
    case "dead-letter":
      return [
        `    ${styled(terminal, "red", "would be a dead letter")}: ${printable(comparison.why)}${idsOf(comparison.ids)}`,
      ];
    case "not-compared":
      return [`    not compared: ${comparison.why}`];
  }
};

const changeLine = ({ field, from, to }: FieldChange): string =>
  `      ${printable(field)}: ${shown(from)} -> ${shown(to)}`;

const unchangedLine = (field: string): string => `      ${printable(field)}: unchanged`;

const shown = (value: unknown): string => printable(JSON.stringify(value));

const idsOf = (ids: readonly number[]): string => (ids.length === 0 ? "" : ` (${ids.join(", ")})`);

/** Of each outcome how many there are. */
export const comparedTotal = (comparisons: ReadonlyMap<unknown, Comparison>): string => {
  const counts = Map.groupBy(comparisons.values(), ({ is }) => is);
  const each = OUTCOMES.filter(({ is }) => counts.has(is)).map(
    ({ is, words }) => `${countText(counts.get(is)?.length ?? 0)} ${words}`,
  );
  return `Compared with Sell: ${each.length === 0 ? "nothing" : each.join(", ")}.`;
};

const OUTCOMES = [
  { is: "created", words: "would be created" },
  { is: "changed", words: "would change" },
  { is: "unchanged", words: "unchanged" },
  { is: "deleted", words: "would be deleted" },
  { is: "left-alone", words: "left alone" },
  { is: "dead-letter", words: "would be dead letters" },
  { is: "not-compared", words: "not compared" },
] as const satisfies readonly { readonly is: Comparison["is"]; readonly words: string }[];
