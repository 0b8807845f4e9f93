/**
 * Debezium's placeholder for a large column that an update did not touch (PostgreSQL TOAST, Oracle LOBs). It takes the
 * column's type, so it has as many forms as there are types; all mean: leave the field alone.
 */
import { createHash } from "node:crypto";
import { isStruct, markText, type Raw } from "./raw.ts";

/** True for a value that is the placeholder in one of its forms. */
export type IsUnavailable = (raw: Raw) => boolean;

/** What `unavailable.value.placeholder` is unless a connector says otherwise. */
const DEFAULT = "__debezium_unavailable_value";

/** Of the connector's setting; behind `hex:` it is bytes. */
export const unavailableBy = (placeholder: string = DEFAULT): IsUnavailable => {
  const bytes = placeholder.startsWith("hex:") ? Buffer.from(placeholder.slice(4), "hex") : Buffer.from(placeholder);
  const name = bytes.toString();
  const text = markText(name);
  const base64 = bytes.toString("base64");
  const uuid = nameUuid(bytes);
  const hstore = JSON.stringify({ [name]: name });

  /** By length first: it decides nearly every column without looking at a character. */
  const isText = (raw: string): boolean =>
    (raw.length === text.length && raw === text) ||
    (raw.length === base64.length && raw === base64) ||
    (raw.length === hstore.length && raw === hstore);

  const isElement = (raw: Raw | undefined): boolean =>
    raw === text || raw === base64 || raw === uuid || (raw instanceof Uint8Array && bytes.equals(raw));

  return (raw) => {
    if (typeof raw === "string") return isText(raw);
    if (typeof raw !== "object" || raw === null) return false;
    if (raw instanceof Uint8Array) return bytes.equals(raw);
    if (!Array.isArray(raw)) return isStruct(raw) && raw[name] === text && Object.keys(raw).length === 1;
    // int[] and bigint[] carry its bytes, signed as Java has them.
    const isCodes = () => raw.length === bytes.length && raw.every((code, at) => asByte(code) === bytes[at]);
    return (raw.length === 1 && isElement(raw[0])) || isCodes();
  };
};

const asByte = (raw: Raw | undefined): number =>
  typeof raw === "number" && raw >= -128 && raw <= 255 ? raw & 0xff : -1;

/** The version-3 UUID that Java names bytes by, which have no namespace there. */
const nameUuid = (bytes: Buffer): string => {
  const digest = createHash("md5").update(bytes).digest();
  digest.writeUInt8(((digest[6] ?? 0) & 0x0f) | 0x30, 6);
  digest.writeUInt8(((digest[8] ?? 0) & 0x3f) | 0x80, 8);
  return digest.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
};
