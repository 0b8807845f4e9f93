/**
 * Debezium's placeholder for a large column that an update did not touch (PostgreSQL TOAST, Oracle LOBs). It takes the
 * column's type, so it has as many forms as there are types; all mean: leave the field alone.
 */
import type { Raw } from "./raw.ts";
import { isStruct } from "./raw.ts";

const MARKER = "__debezium_unavailable_value";
const BYTES = Buffer.from(MARKER);
const BASE64 = BYTES.toString("base64");
/** The marker's version-3 name UUID, as an element of uuid[] has it. */
const UUID = "b68a35a7-17ad-35b3-af2a-ae46edb4545a";
/** An hstore column as JSON text. */
const HSTORE = JSON.stringify({ [MARKER]: MARKER });

export const isUnavailable = (raw: Raw): boolean => {
  if (typeof raw === "string") return isMarkerText(raw);
  if (typeof raw !== "object" || raw === null) return false;
  if (raw instanceof Uint8Array) return BYTES.equals(raw);
  if (Array.isArray(raw)) return isMarkerList(raw);
  return isStruct(raw) && Object.hasOwn(raw, MARKER) && raw[MARKER] === MARKER;
};

/** By length first: it decides nearly every column without looking at a character. */
const isMarkerText = (text: string): boolean => {
  switch (text.length) {
    case MARKER.length:
      return text === MARKER;
    case BASE64.length:
      return text === BASE64;
    case HSTORE.length:
      return text === HSTORE;
    default:
      return false;
  }
};

const isMarkerList = (list: readonly Raw[]): boolean => {
  const [first] = list;
  if (list.length === 1 && first !== undefined)
    return (
      first === MARKER || first === BASE64 || first === UUID || (first instanceof Uint8Array && BYTES.equals(first))
    );
  // int[] and bigint[] carry the marker's bytes.
  return list.length === BYTES.length && list.every((code, at) => code === BYTES[at]);
};
