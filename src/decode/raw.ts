/**
 * What an encoding hands to a shape: the wire's own values, every number exact.
 *
 * JavaScript numbers end at 2^53, ERP ids and nanosecond clocks do not. A number that a double cannot hold therefore
 * stands here as its text behind one NUL; a text that itself begins with NUL has that NUL doubled. So one look at the
 * first two characters tells them apart, and the common case costs one comparison.
 */

export type Raw = null | boolean | number | string | Buffer | readonly Raw[] | RawStruct;
export type RawStruct = { readonly [name: string]: Raw };

const NUL = "\u0000";

export const markNumber = (text: string): string => NUL + text;
export const markText = (text: string): string => (text.charCodeAt(0) === 0 ? NUL + text : text);

/** True for a string that stands for a number. */
export const isMarkedNumber = (raw: string): boolean => raw.charCodeAt(0) === 0 && raw.charCodeAt(1) !== 0;

/** The characters of a string in a raw tree, be it text or a marked number. */
export const unmark = (raw: string): string => (raw.charCodeAt(0) === 0 ? raw.slice(1) : raw);

/** The exact decimal text of a number; null for everything else. */
export const numberText = (raw: Raw | undefined): string | null => {
  if (typeof raw === "number") return String(raw);
  return typeof raw === "string" && isMarkedNumber(raw) ? raw.slice(1) : null;
};

/** Text or number as text, as positions and transaction ids come both ways; null for everything else. */
export const scalarText = (raw: Raw | undefined): string | null =>
  typeof raw === "string" ? unmark(raw) : numberText(raw);

export const isStruct = (raw: Raw | undefined): raw is RawStruct =>
  typeof raw === "object" && raw !== null && !Array.isArray(raw) && !(raw instanceof Uint8Array);
