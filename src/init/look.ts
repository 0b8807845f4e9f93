/** Looks at one topic from outside, as `validate --online` does: what its records are, their key, and their columns. */
import { parsePhoneNumberFromString } from "libphonenumber-js";
import { createDecoder, type TopicFormat } from "../decode/decoder.ts";
import { FORMATS, type Format } from "../decode/formats.ts";
import { type Likely, likelyFormat } from "../decode/likely-format.ts";
import type { SchemaSource } from "../decode/schema-source.ts";
import type { Change, Row } from "../domain/change.ts";
import { errorText } from "../domain/errors.ts";
import type { ConsumerRecord } from "../domain/record.ts";
import type { Decoder } from "../domain/stages.ts";
import { isFromDocuments } from "../map/format-problems.ts";
import type { ColumnUse } from "../map/mapped-columns.ts";
import { untypedColumns } from "../wiring/untyped-topics.ts";
import { columnsOf } from "./columns.ts";
import { plainName } from "./names.ts";
import type { SampledTopic } from "./sampled-topic.ts";
import { KEY_WORDS, type Proposed } from "./synonyms.ts";

/** A topic to look at. */
export interface Asked {
  readonly topic: string;
  /** Somebody named it: it is taken even if it does not look like change data. */
  readonly isNamed: boolean;
  readonly wanted: Proposed | null;
}

/** `why` is a clause behind the topic's name, with the next step. */
export type Looked = SampledTopic | { readonly why: string };

/** Never rejects for what the records or their registry are like. */
export const lookAt = async (
  { topic, isNamed, wanted }: Asked,
  records: readonly ConsumerRecord[],
  schemas: SchemaSource | null,
): Promise<Looked> => {
  if (records.length === 0) return { why: "is empty; run init again once it has records." };
  const likely = mostLikely(records);
  if (likely === null) return { why: "holds records that are neither JSON nor Avro as sell-sink knows them." };
  const read = await readAs(topic, candidates(likely), records, schemas);
  if ("why" in read) return read;
  const { reading, told } = read;
  const { format, encoding } = reading;
  if (!isNamed && PLAIN.has(format))
    return { why: `does not look like change data; --topic ${topic} takes it all the same.` };
  if (!isNamed && isFromDocuments(format))
    return { why: `looks like ${format}, which is known from documents only; --topic ${topic} takes it all the same.` };
  const changes = told.map(({ change }) => change);
  const tables = new Set(changes.flatMap(({ table }) => table ?? []));
  if (tables.size > 1)
    return {
      why: `holds rows of several tables (${[...tables].join(", ")}); write a route for each by hand, with table.`,
    };
  const hinting = (use: ColumnUse) =>
    untypedColumns(records, topic, { ...reading, uses: usesOf(changes, use) }, schemas);
  return {
    ...{ topic, wanted, records: records.length, table: [...tables][0] ?? null },
    ...{ format, isUnverified: isFromDocuments(format) },
    ...(encoding === undefined ? {} : { encoding }),
    ...(reading.keyEncoding === undefined ? {} : { keyEncoding: reading.keyEncoding }),
    key: keyOf(told),
    columns: columnsOf(changes, { number: await hinting("number"), date: await hinting("date") }, countryOf),
  };
};

/** Rows that tell nothing of changes. */
const PLAIN: ReadonlySet<Format> = new Set(["json", "avro"]);

/** What most of them look like, of those that tell anything. */
const mostLikely = (records: readonly ConsumerRecord[]): Likely | null => {
  const telling = records.map(likelyFormat).filter(({ formats }) => formats.length > 0);
  const groups = [...Map.groupBy(telling, ({ formats, encodings }) => `${formats} ${encodings}`).values()];
  return groups.toSorted((a, b) => b.length - a.length)[0]?.[0] ?? null;
};

/** Flattened rows are plain ones with columns of their own, so that what was read as one decides. */
const candidates = ({ formats, encodings: [encoding] }: Likely): readonly TopicFormat[] =>
  formats
    .filter((format) => !format.endsWith("-flattened") || formats.length === 1)
    .flatMap((format) => {
      const own = FORMATS[format].encoding === encoding ? {} : { encoding };
      return [
        { format, ...own },
        { format, ...own, keyEncoding: "text" as const },
      ];
    });

interface Told {
  readonly change: Change;
  readonly record: ConsumerRecord;
}

interface Read {
  readonly reading: TopicFormat;
  readonly told: readonly Told[];
}

/** The first by which most of the records that tell anything can be read. */
const readAs = async (
  topic: string,
  formats: readonly TopicFormat[],
  records: readonly ConsumerRecord[],
  schemas: SchemaSource | null,
): Promise<Read | { readonly why: string }> => {
  let problem = "its bytes tell no format.";
  for (const reading of formats) {
    const { told, unread, message } = await decodedAs(topic, reading, records, schemas);
    if (told.length > unread) return { reading: withFlattening(reading, told), told };
    problem = message ?? problem;
  }
  return { why: `cannot be read: ${problem}` };
};

const decodedAs = async (
  topic: string,
  reading: TopicFormat,
  records: readonly ConsumerRecord[],
  schemas: SchemaSource | null,
) => {
  const told: Told[] = [];
  let [unread, message]: [number, string | null] = [0, null];
  let decoder: Decoder | null = null;
  for (const record of records) {
    try {
      decoder ??= createDecoder(new Map([[topic, reading]]), { schemas });
      const decoded = await decoder.decode(record);
      if (decoded.status === "changes") told.push(...decoded.changes.map((change) => ({ change, record })));
      else if (decoded.status === "errant") [unread, message] = [unread + 1, decoded.errant.message];
    } catch (error) {
      [unread, message] = [unread + 1, errorText(error)];
    }
  }
  return { told, unread, message };
};

const withFlattening = (reading: TopicFormat, told: readonly Told[]): TopicFormat => {
  const isFlattened = told.some(({ change: { after } }) => after !== null && ("__op" in after || "__deleted" in after));
  const flattened = FLATTENED[reading.format];
  return isFlattened && flattened !== undefined ? { ...reading, format: flattened } : reading;
};

const FLATTENED: Readonly<Partial<Record<Format, Format>>> = {
  json: "debezium-json-flattened",
  avro: "debezium-avro-flattened",
};

const usesOf = (changes: readonly Change[], use: ColumnUse): ReadonlyMap<string, ColumnUse> =>
  new Map(changes.flatMap(({ after, before }) => Object.keys(after ?? before ?? {}).map((name) => [name, use])));

/** The record key's columns; of a bare key the column that has its value in every row, where there is one. */
const keyOf = (told: readonly Told[]): readonly string[] => {
  const key = told.find(({ change }) => change.key !== null)?.change.key;
  if (key !== null && key !== undefined) return Object.keys(key);
  const pairs = told.map(({ change: { after }, record }) => [after, bareText(record.key)] as const);
  const rows = pairs.filter((pair): pair is readonly [Row, string] => pair[0] !== null && pair[1] !== null);
  const same = Object.keys(rows[0]?.[0] ?? {}).filter((name) =>
    rows.every(([row, text]) => String(row[name]) === text),
  );
  return [same.find((name) => KEY_WORDS.has(plainName(name))) ?? same[0] ?? []].flat();
};

const bareText = (key: Buffer | null): string | null => key?.toString().replace(/^"(.*)"$/, "$1") ?? null;

const countryOf = (text: string): string | null =>
  text.startsWith("+") ? (parsePhoneNumberFromString(text, { extract: false })?.country ?? null) : null;
