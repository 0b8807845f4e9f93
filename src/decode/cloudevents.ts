/**
 * Debezium's changes as CloudEvents 1.0. What the envelope's `source` says stands in extension attributes: all of them text,
 * their names without underscores, and two of them differ in case only.
 */
import { compileConnectSchema } from "./connect-schema.ts";
import { controlRecord } from "./control-record.ts";
import { DecodeError } from "./decode-error.ts";
import { decodeEnvelope } from "./envelope.ts";
import { decodeMongodb } from "./mongodb.ts";
import type { Datum } from "./plan.ts";
import { isStruct, type Raw, type RawStruct, unmark } from "./raw.ts";
import { millis, type Shape, type ShapeInput, skip } from "./shape.ts";

export const decodeCloudEvent: Shape = (input) => {
  const { value } = input;
  if (!("specversion" in value)) {
    const reason = controlRecord(value);
    if (reason !== null) return skip(reason);
    throw new DecodeError("shape-mismatch", "It is no CloudEvent: there is no specversion.");
  }
  const { raw, plan } = dataOf(input);
  if (!isStruct(raw)) throw new DecodeError("shape-mismatch", "It is a CloudEvent, but its data is no struct.");
  const source = sourceOf(value);
  const envelope = { op: value[`${PREFIX}op`] ?? null, before: raw.before ?? null, after: raw.after ?? null, source };
  const decode = source.connector === "mongodb" ? decodeMongodb : decodeEnvelope;
  return decode({ ...input, value: envelope, plan });
};

const PREFIX = "iodebezium";

/** `data` is the rows themselves, or with a schema beside them, or Avro in its own framing inside the JSON. */
const dataOf = ({ value: { data = null, datacontenttype }, plan, readAvro }: ShapeInput): Datum => {
  if (datacontenttype === "application/avro" && !isStruct(data)) return readNested(data, readAvro);
  if (isStruct(data) && isStruct(data.schema) && data.payload !== undefined)
    return { raw: data.payload, plan: compileConnectSchema(data.schema) };
  return { raw: data, plan: plan.structs.get("data") ?? plan };
};

const readNested = (data: Raw, readAvro: ShapeInput["readAvro"]): Datum => {
  if (readAvro === null)
    throw new DecodeError("shape-mismatch", "Its data is Avro; say in schemaRegistry.url where the schemas are.");
  if (data instanceof Uint8Array) return readAvro(data);
  if (typeof data === "string") return readAvro(Buffer.from(unmark(data), "base64"));
  throw new DecodeError("shape-mismatch", "Its data is said to be Avro and is neither bytes nor base64.");
};

/** Members of the source block that a change's position and transaction are read from. */
const SOURCE = [
  ...["connector", "snapshot", "sequence", "txId", "db", "schema", "table", "collection"],
  ...["lsn", "file", "pos", "row", "gtid"],
  ...["commit_lsn", "change_lsn", "event_serial_no", "commit_scn", "scn", "txSeq", "ord"],
].map((name) => [name, PREFIX + name.replaceAll("_", "")] as const);

const sourceOf = (value: RawStruct): RawStruct => {
  const source: Record<string, Raw> = { ts_ms: millis(value[`${PREFIX}tsms`]) };
  for (const [name, attribute] of SOURCE) {
    const raw = value[attribute];
    if (raw !== undefined && raw !== null) source[name] = raw;
  }
  return source;
};
