/**
 * What a record looks like, for people who wonder whether a topic is what its route says. Never used to read one: bytes do
 * not tell a framing of four from one of eight, nor an envelope from a row that happens to have its columns.
 */
import type { ConsumerRecord } from "../domain/record.ts";
import { controlRecord } from "./control-record.ts";
import type { Encoding } from "./encoding.ts";
import type { Format } from "./formats.ts";
import { createJsonReader } from "./json-reader.ts";
import { isStruct, type Raw, type RawStruct, unmark } from "./raw.ts";

export interface Likely {
  /** Formats that it may be; several: it cannot be told which. None: it says nothing, like a tombstone, or is none of ours. */
  readonly formats: readonly Format[];
  /** Encodings of its value; none as above. */
  readonly encodings: readonly Encoding[];
  /** What it was told by, to complete "by ..."; of no meaning where nothing was. */
  readonly sign: string;
}

/** Pure and total: any bytes will do. The most telling sign counts, headers before bytes before members. */
export const likelyFormat = ({ key, value, headers }: Pick<ConsumerRecord, "key" | "value" | "headers">): Likely => {
  if (value === null || value.length === 0) return SAYS_NOTHING;
  const [idHeader, avro] = ID_HEADERS.find(([name]) => headers.some(([header]) => header === name)) ?? [];
  const raw = jsonOf(value);
  if (isStruct(raw) && idHeader !== undefined)
    return { ...membersOf(raw, false), encodings: ["json", "confluent-json-schema"] };
  if (avro !== undefined) return { formats: AVRO, encodings: [avro], sign: `the header ${idHeader}` };
  if (value[0] === 0) return behindId(value);
  if (raw === undefined) return SAYS_NOTHING;
  return { ...membersOf(raw, isOutbox(key, headers)), encodings: isApicurioJson(raw) ? ["apicurio-json"] : ["json"] };
};

const SAYS_NOTHING: Likely = { formats: [], encodings: [], sign: "nothing" };
const AVRO: readonly Format[] = ["debezium-avro", "debezium-avro-flattened", "avro"];

const ID_HEADERS: readonly (readonly [header: string, encoding: Encoding])[] = [
  ["__value_schema_id", "confluent-avro-guid-header"],
  ["apicurio.value.globalId", "apicurio-avro-headers"],
  ["apicurio.value.contentId", "apicurio-avro-headers"],
];

const ID_BYTES = 5;

/** No registry gives the id 0, so four zeros behind the first are the upper half of an id of eight bytes. */
const behindId = (value: Buffer): Likely => {
  const isLong = value.length > ID_BYTES + 4 && value.readUInt32BE(1) === 0;
  const json = jsonOf(value.subarray(isLong ? ID_BYTES + 4 : ID_BYTES));
  const sign = `a schema id of ${isLong ? "eight" : "four"} bytes`;
  if (isStruct(json)) {
    const { formats, sign: members } = membersOf(json, false);
    return { formats, encodings: [isLong ? "apicurio-json" : "confluent-json-schema"], sign: `${sign} and ${members}` };
  }
  return { formats: AVRO, encodings: [isLong ? "apicurio-avro-8" : "confluent-avro"], sign };
};

const jsonOf = (bytes: Buffer): Raw | undefined => {
  try {
    return createJsonReader()(bytes).raw;
  } catch {
    return undefined;
  }
};

/** The router's default: the event's id in a header, and the aggregate's as a bare value in the key. */
const isOutbox = (key: Buffer | null, headers: ConsumerRecord["headers"]): boolean =>
  headers.some(([name]) => name === "id") && key !== null && !isStruct(jsonOf(key));

const isApicurioJson = (raw: Raw): boolean => isStruct(raw) && "schemaId" in raw && "payload" in raw;

type Told = Omit<Likely, "encodings">;

const membersOf = (raw: Raw, outbox: boolean): Told => {
  if (isStruct(raw) && isApicurioJson(raw)) return membersOf(raw.payload ?? null, outbox);
  if (typeof raw === "string" && isStruct(jsonOf(Buffer.from(unmark(raw)))))
    return { formats: ["outbox"], sign: "a payload that is JSON in one text" };
  if (!isStruct(raw)) return SAYS_NOTHING;
  for (const [sign, isSigned, format] of SIGNS) if (isSigned(raw)) return { formats: [format], sign };
  const control = controlRecord(raw);
  if (control !== null) return { formats: DEBEZIUM, sign: `a control record of Debezium (${control})` };
  return { formats: outbox ? ["outbox", "json", "debezium-json-flattened"] : ROWS, sign: "columns alone" };
};

/** Control records pass every transform. */
const DEBEZIUM: readonly Format[] = ["debezium-json", "debezium-json-flattened", "mongodb", "cloudevents"];
/** Flattened rows need not say so, and a payload may be expanded. */
const ROWS: readonly Format[] = ["json", "debezium-json-flattened", "outbox"];

type Sign = readonly [sign: string, isSigned: (value: RawStruct) => boolean, format: Format];

const has = (value: RawStruct, ...names: readonly string[]): boolean => names.every((name) => name in value);

/** In order: what stands above is more telling. */
const SIGNS: readonly Sign[] = [
  ["the attribute specversion", (value) => has(value, "specversion"), "cloudevents"],
  ["op, and a source of MongoDB", (value) => isEnvelope(value) && isOfMongodb(value), "mongodb"],
  ["op and source", (value) => isEnvelope(value) && value.op !== "m", "debezium-json"],
  ['magic: "atMSG"', (value) => value.magic === "atMSG", "qlik"],
  ["metadata.record-type", ({ metadata }) => isStruct(metadata) && has(metadata, "record-type"), "dms"],
  ["isDdl and data", (value) => has(value, "isDdl", "data"), "canal"],
  [
    "type, database and data",
    (value) => has(value, "type", "database") && (has(value, "data") || isDdl(value)),
    "maxwell",
  ],
  ["op_type and pos", (value) => has(value, "op_type", "pos"), "goldengate"],
  ["op_type and scn", (value) => has(value, "op_type", "scn"), "confluent-oracle"],
  ["ODQ_CHANGEMODE", (value) => has(value, "ODQ_CHANGEMODE") || has(value, "RECORDMODE"), "sap-odq"],
  ["__op or __deleted", (value) => has(value, "__op") || has(value, "__deleted"), "debezium-json-flattened"],
];

const isEnvelope = (value: RawStruct): boolean => typeof value.op === "string" && isStruct(value.source);
const isOfMongodb = ({ source }: RawStruct): boolean => isStruct(source) && source.connector === "mongodb";
/** `table-create`, `bootstrap-start` and their like carry no row. */
const isDdl = ({ type }: RawStruct): boolean => typeof type === "string" && /^(table|database|bootstrap)-/.test(type);
