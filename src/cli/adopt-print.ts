/** What came of an adoption, for people and for programs: numbers, keys and ids, nothing of what is in the records. */
import type { Fate, Sample, Tally } from "../adopt/adopt.ts";
import type { ErpKeys } from "../adopt/erp-keys.ts";
import type { Entity } from "../domain/mutation.ts";
import { countText } from "../lib/numbers.ts";
import { printable } from "../telemetry/text.ts";
import { tableText } from "./table.ts";
import { styled, type Terminal } from "./terminal.ts";

export interface Adoption {
  readonly route: string;
  readonly entity: Entity;
  readonly isDry: boolean;
  readonly keys: ErpKeys;
  readonly tally: Tally;
}

const FATES: readonly (readonly [fate: Fate, means: string])[] = [
  ["adopted", "a record carries the key already"],
  ["matched", "one record is certainly the key's, and has none yet"],
  ["written", "of these: the record has its key now"],
  ["failed", "of these: not written"],
  ["new", "no record: the first run creates it"],
  ["ambiguous", "several records or several keys come into question"],
  ["conflicting", "the record carries another key"],
];

export const adoptionAsJson = ({ route, entity, isDry, keys, tally }: Adoption): string => {
  const counts = Object.fromEntries(FATES.map(([fate]) => [fate, tally.count(fate)]));
  const samples = Object.fromEntries(FATES.map(([fate]) => [fate, tally.samples(fate)]));
  const { texts, unreadable } = keys;
  return `${JSON.stringify({ dryRun: isDry, route, entity, keys: texts.size, unreadable, ...counts, samples })}\n`;
};

export const adoptionAsLines = ({ route, isDry, keys, tally }: Adoption, terminal: Terminal): string => {
  const told = FATES.filter(([fate]) => !isDry || (fate !== "written" && fate !== "failed"));
  const rows = told.map(([fate, means]) => [styled(terminal, "bold", fate), countText(tally.count(fate)), means]);
  const doubts = (["ambiguous", "conflicting", "failed"] as const).flatMap((fate) =>
    tally.samples(fate).map((sample) => `  ${fate} ${sampleText(sample)}\n`),
  );
  const { unreadable, texts } = keys;
  return [
    `${countText(texts.size)} keys of ${route}${isDry ? ", nothing was written" : ""}\n`,
    `${tableText({ head: [], rows, aligned: ["left", "right", "left"] }, terminal)}\n`,
    ...doubts,
    ...(unreadable > 0
      ? [`${countText(unreadable)} records of the topic cannot be read: see sell-sink validate --online\n`]
      : []),
    ...(texts.size > 0 && tally.count("new") === texts.size ? [NOTHING_FOUND] : []),
  ].join("");
};

const NOTHING_FOUND = "Not one key was found in Sell: is that what --match should compare?\n";

const sampleText = ({ key, ids, message }: Sample): string =>
  printable(`${key}${ids.length === 0 ? "" : `: ${ids.join(", ")}`}${message === undefined ? "" : ` (${message})`}`);
