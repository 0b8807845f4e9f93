/** Text from outside, made fit for a log line or a terminal. */

// Control characters, marks of direction, zero-width characters, separators: they could fake lines, colours or order.
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** The same text with unprintable characters as `\u{..}`. */
export const printable = (text: string): string =>
  text.replace(UNPRINTABLE, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);

/** The text with every one of these secrets replaced by `***`: the last resort, where we do not know who wrote it. */
export const scrubbed = (text: string, secrets: Iterable<string>): string => {
  let clean = text;
  for (const secret of secrets) {
    for (const form of [secret, encodeURIComponent(secret), Buffer.from(secret).toString("base64")]) {
      clean = clean.replaceAll(form, "***");
    }
  }
  return clean;
};
