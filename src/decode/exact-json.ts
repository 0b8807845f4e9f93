/**
 * JSON text to values without losing a digit. `JSON.parse` rounds 9007199254740993 to ...992, and a reviver costs ten times
 * the parse; so one pass over the text puts the few numbers that need it into (marked) strings, and `JSON.parse` keeps
 * its speed and its strictness.
 */
import { DecodeError } from "./decode-error.ts";
import type { Raw } from "./raw.ts";

const MAX_DEPTH = 100;
const QUOTE = 0x22;
const MINUS = 0x2d;
const ZERO = 0x30;
const NINE = 0x39;
const COLON = 0x3a;
const BACKSLASH = 0x5c;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
/** NUL as JSON spells it; the only way it can stand in JSON text. */
const NUL = "\\u0000";

/** Digits up to which a double gives every decimal back as it was written. */
const SURE_DIGITS = 15;
const MAX_SAFE = String(Number.MAX_SAFE_INTEGER);
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/** Duplicate names: the last one wins. Throws DecodeError `invalid-json`, also beyond 100 levels. */
export const parseExactJson = (text: string): Raw => {
  const marked = markNumbers(text);
  try {
    return JSON.parse(marked);
  } catch {
    // The parser's own message quotes the text: a payload, which must not reach a log.
    throw new DecodeError("invalid-json", "The text is not valid JSON.");
  }
};

/** Wrong text stays wrong: a number is replaced by a string only where both would be allowed. */
const markNumbers = (text: string): string => {
  let marked = "";
  let copied = 0;
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const char = text.charCodeAt(at);
    if (char === QUOTE) {
      const end = stringEnd(text, at);
      if (text.charCodeAt(at + 1) === BACKSLASH && text.startsWith(NUL, at + 1) && !isName(text, end)) {
        marked += text.slice(copied, at + 1) + NUL;
        copied = at + 1;
      }
      at = end - 1;
    } else if ((char >= ZERO && char <= NINE) || char === MINUS) {
      const end = numberEnd(text, at);
      if (end - at > SURE_DIGITS && needsMark(text.slice(at, end)) && !isName(text, end)) {
        marked += `${text.slice(copied, at)}"${NUL}${text.slice(at, end)}"`;
        copied = end;
      }
      at = end - 1;
    } else if (char === OPEN_BRACE || char === OPEN_BRACKET) {
      if (++depth > MAX_DEPTH)
        throw new DecodeError("invalid-json", `The text is nested deeper than ${MAX_DEPTH} levels.`);
    } else if (char === CLOSE_BRACE || char === CLOSE_BRACKET) depth--;
  }
  return copied === 0 ? text : marked + text.slice(copied);
};

/** Index after the closing quote of the string that opens at `open`; the text's length when it is never closed. */
const stringEnd = (text: string, open: number): number => {
  for (let at = open + 1; at < text.length; at++) {
    const char = text.charCodeAt(at);
    if (char === QUOTE) return at + 1;
    if (char === BACKSLASH) at++;
  }
  return text.length;
};

const numberEnd = (text: string, start: number): number => {
  for (let at = start + 1; at < text.length; at++) {
    const char = text.charCodeAt(at);
    const inNumber =
      (char >= ZERO && char <= NINE) ||
      char === 0x2e ||
      char === 0x65 ||
      char === 0x45 ||
      char === 0x2b ||
      char === MINUS;
    if (!inNumber) return at;
  }
  return text.length;
};

const needsMark = (number: string): boolean => {
  // Sixteen characters up to here are a safe integer, or have a sign or point and but 15 digits: microsecond clocks end here.
  if (number.length === MAX_SAFE.length && number <= MAX_SAFE) return false;
  if (!NUMBER.test(number)) return false;
  const digits = number.charCodeAt(0) === MINUS ? number.slice(1) : number;
  const isInteger = /^\d+$/.test(digits);
  if (isInteger) return digits.length > MAX_SAFE.length || (digits.length === MAX_SAFE.length && digits > MAX_SAFE);
  return digits.replace(/[eE].*/, "").length - 1 > SURE_DIGITS;
};

/** True when a colon follows: then the token before is the name of a member, not a value. */
const isName = (text: string, from: number): boolean => {
  let at = from;
  while (at < text.length && text.charCodeAt(at) <= 0x20) at++;
  return text.charCodeAt(at) === COLON;
};

/** Index after the object or list that begins at `from`; the text's length when it is never closed. */
export const valueEnd = (text: string, from: number): number => {
  let depth = 0;
  for (let at = from; at < text.length; at++) {
    const char = text.charCodeAt(at);
    if (char === QUOTE) at = stringEnd(text, at) - 1;
    else if (char === OPEN_BRACE || char === OPEN_BRACKET) depth++;
    else if ((char === CLOSE_BRACE || char === CLOSE_BRACKET) && --depth === 0) return at + 1;
  }
  return text.length;
};
