/**
 * Kafka Connect's JSON, with or without a schema around the payload, record by record. With a schema the same ten kilobytes
 * of it stand before every payload: its bytes are remembered and compared, and only the payload is parsed.
 */
import { isUtf8 } from "node:buffer";
import { compileConnectSchema } from "./connect-schema.ts";
import { DecodeError } from "./decode-error.ts";
import { parseExactJson, valueEnd } from "./exact-json.ts";
import { type Datum, NO_PLAN, type StructPlan } from "./plan.ts";
import { isStruct, type Raw } from "./raw.ts";

interface KnownSchema {
  /** `{"schema":{...},"payload":` as it stood in a record. */
  readonly prefix: Buffer;
  readonly plan: StructPlan;
}

/** Schemas remembered a reader: the versions that alternate while a table changes. */
const MAX_KNOWN = 8;
const OPENING = '{"schema":';
const PAYLOAD = ',"payload":';
const CLOSING_BRACE = 0x7d;

/** One reader for the keys and one for the values of a topic. Throws DecodeError `invalid-json`. */
export const createJsonReader = (): ((bytes: Buffer) => Datum) => {
  const known: KnownSchema[] = [];

  return (bytes) => {
    const schema = known.find(({ prefix }) => startsWith(bytes, prefix));
    const payload = schema === undefined ? undefined : payloadAfter(schema.prefix, bytes);
    if (schema !== undefined && payload !== undefined) return { raw: payload, plan: schema.plan };

    const text = utf8(bytes);
    const raw = parseExactJson(text);
    if (!isWrapped(raw)) return { raw, plan: NO_PLAN };
    const discovered = knownSchema(text);
    if (discovered !== undefined && schema === undefined) {
      known.unshift(discovered);
      known.length = Math.min(known.length, MAX_KNOWN);
    }
    return { raw: raw.payload, plan: compileConnectSchema(raw.schema) };
  };
};

const startsWith = (bytes: Buffer, prefix: Buffer): boolean =>
  bytes.length > prefix.length && bytes.compare(prefix, 0, prefix.length, 0, prefix.length) === 0;

/** Undefined when what follows is not one value and the closing brace: then the whole has to be looked at. */
const payloadAfter = (prefix: Buffer, bytes: Buffer): Raw | undefined => {
  if (bytes[bytes.length - 1] !== CLOSING_BRACE) return undefined;
  try {
    return parseExactJson(utf8(bytes.subarray(prefix.length, -1)));
  } catch {
    return undefined;
  }
};

/** The schema is compiled from the very text that is remembered, so that a prefix cannot stand for another schema. */
const knownSchema = (text: string): KnownSchema | undefined => {
  if (!text.startsWith(OPENING)) return undefined;
  const end = valueEnd(text, OPENING.length);
  if (!text.startsWith(PAYLOAD, end)) return undefined;
  return {
    prefix: Buffer.from(text.slice(0, end + PAYLOAD.length)),
    plan: compileConnectSchema(parseExactJson(text.slice(OPENING.length, end))),
  };
};

/** JsonConverter writes exactly these two; a schema of null says that the payload has none. */
const isWrapped = (raw: Raw): raw is { readonly schema: Raw; readonly payload: Raw } =>
  isStruct(raw) &&
  "schema" in raw &&
  "payload" in raw &&
  (raw.schema === null || (isStruct(raw.schema) && typeof raw.schema.type === "string")) &&
  Object.keys(raw).length === 2;

/** Throws DecodeError `invalid-json`. */
export const utf8 = (bytes: Buffer): string => {
  if (!isUtf8(bytes)) throw new DecodeError("invalid-json", "The text is not UTF-8.");
  return bytes.toString("utf8");
};
