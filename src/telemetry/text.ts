/** Text from outside, made fit for a log line or a terminal. */

// Control characters, marks of direction, zero-width characters, separators: they could fake lines, colours or order.
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** The same text with unprintable characters as `\u{..}`. */
export const printable = (text: string): string =>
  text.replace(UNPRINTABLE, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);

/** The text with every one of these secrets replaced by `***`: the last resort, where we do not know who wrote it. */
export const scrubbed = (text: string, secrets: Iterable<string>): string => scrubber(secrets)(text);

/** The same for many texts; secrets that come later are not known to it. */
export const scrubber = (secrets: Iterable<string>): ((text: string) => string) => {
  const forms = [...secrets].flatMap(formsOf);
  return (text) => forms.reduce((clean, form) => clean.replaceAll(form, "***"), text);
};

/** As it is, in a URL, and in base64 of either alphabet, with and without its padding. */
const formsOf = (secret: string): readonly string[] => {
  const base64 = Buffer.from(secret).toString("base64");
  const others = [base64, base64.replace(/={0,2}$/, ""), Buffer.from(secret).toString("base64url")];
  return [secret, encodeURIComponent(secret), ...others];
};
