/** Does a topic hold what its route says? A judgement on a few of its records, from what the stages made of them. */
import type { Change, Decoded, Row } from "../domain/change.ts";
import { nearest } from "../lib/nearest.ts";
import { type Finding, failed, ok, warning } from "./check.ts";

/** One sampled record. */
export interface Sampled {
  readonly decoded: Decoded;
  /** What its bytes look like, by the names of the configuration; nothing where they tell nothing. */
  readonly looks: { readonly formats: readonly string[]; readonly encodings: readonly string[]; readonly sign: string };
}

export interface Expected {
  readonly topic: string;
  readonly format: string;
  readonly encoding: string;
  /** Columns that the routes read. */
  readonly columns: readonly string[];
}

/** The format first: where it is another one, nothing else that could be said would help. */
export const judgeSample = (samples: readonly Sampled[], expected: Expected): readonly Finding[] => {
  const { topic } = expected;
  if (samples.length === 0)
    return [warning(`${topic} is empty, so that its format could not be compared.`, "check again once it has records")];
  const other = otherFormat(samples, expected);
  if (other !== null) return [other];
  const errant = errantFinding(samples, expected);
  const read = samples.length - samples.filter(({ decoded }) => decoded.status === "errant").length;
  const sentence = `${read} of ${samples.length} sampled records of ${topic} are ${expected.format}.`;
  return [errant ?? ok(sentence), ...missingColumns(samples, expected)];
};

const otherFormat = (samples: readonly Sampled[], { topic, format, encoding }: Expected): Finding | null => {
  const telling = samples.map(opened).filter(({ looks }) => looks.formats.length > 0);
  const others = telling.filter(({ looks }) => !looks.formats.includes(format) || !looks.encodings.includes(encoding));
  const [first] = others;
  if (first === undefined || others.length * 2 <= telling.length) return null;
  const { looks } = first;
  const [likely = format] = looks.formats.includes(format) ? [format] : looks.formats;
  const isSure = looks.formats.length === 1 || likely === format;
  const formats = isSure ? `format: ${likely}` : `format to one of ${looks.formats.join(", ")}`;
  const [bytes = encoding] = looks.encodings;
  const encodings = bytes === encoding || OWN_ENCODINGS[likely] === bytes ? "" : ` and encoding: ${bytes}`;
  const sentence = `${others.length} of ${samples.length} sampled records of ${topic} do not look like ${format} (${encoding}); ${looks.sign} tells ${isSure ? likely : looks.formats.join(", ")} (${bytes}).`;
  const next = `set ${formats}${encodings} on the route, or correct its topic`;
  // A row may have an envelope's columns: what can be read may be meant so.
  const canRead = others.filter(({ decoded }) => decoded.status === "errant").length * 2 <= others.length;
  return canRead ? warning(sentence, next) : failed(sentence, next);
};

/** Bytes of Avro do not tell an envelope from a row; what was read as a row does. */
const opened = (sample: Sampled): Sampled => {
  const isEnvelope = rowsAfter(sample).some((row) => ["op", "source", "after"].every((name) => name in row));
  if (!isEnvelope || !sample.looks.formats.includes("debezium-avro")) return sample;
  return { ...sample, looks: { ...sample.looks, formats: ["debezium-avro"], sign: "op and source" } };
};

/** Encodings that need not be said beside the format. */
const OWN_ENCODINGS: Readonly<Record<string, string>> = {
  "debezium-avro": "confluent-avro",
  "debezium-avro-flattened": "confluent-avro",
  avro: "confluent-avro",
};

const alternatives = (samples: readonly Sampled[], format: string): string => {
  const others = new Set(samples.flatMap(({ looks }) => looks.formats).filter((name) => name !== format));
  const ways = others.size === 0 ? "" : `; by its bytes it may also be ${[...others].join(", ")}`;
  return `correct the route's format, encoding or hints${ways}`;
};

/** Few of them become dead letters, as they should; if most do, the route is wrong. */
const errantFinding = (samples: readonly Sampled[], { topic, format }: Expected): Finding | null => {
  const errants = samples.flatMap(({ decoded }) => (decoded.status === "errant" ? [decoded.errant] : []));
  const [first] = errants;
  if (first === undefined) return null;
  const sentence = `${errants.length} of ${samples.length} sampled records of ${topic} cannot be read as ${format}: ${first.reason}. ${first.message}`;
  if (errants.length * 2 > samples.length) return failed(sentence, alternatives(samples, format));
  return warning(sentence, "they will be dead letters; correct them at the source if they matter");
};

const missingColumns = (samples: readonly Sampled[], { topic, columns }: Expected): readonly Finding[] => {
  const rows = samples.flatMap(rowsAfter);
  if (rows.length === 0) return []; // deletes tell little more than their key
  const seen = new Set([...rows, ...samples.flatMap(keysOf)].flatMap((row) => Object.keys(row)));
  return columns
    .filter((column) => !seen.has(column))
    .map((column) => {
      const meant = nearest(column, seen);
      const next = meant === null ? `they have ${[...seen].sort().join(", ")}` : `did you mean ${meant}?`;
      return warning(`No sampled record of ${topic} has the column "${column}" that the mapping reads.`, next);
    });
};

const changesOf = ({ decoded }: Sampled): readonly Change[] => (decoded.status === "changes" ? decoded.changes : []);
const rowsAfter = (sample: Sampled): readonly Row[] =>
  changesOf(sample).flatMap(({ after }) => (after === null ? [] : [after]));
const keysOf = (sample: Sampled): readonly Row[] => changesOf(sample).flatMap(({ key }) => (key === null ? [] : [key]));
