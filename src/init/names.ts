/** Names of topics and columns as words, so that `CustomerNo`, `customer_no` and `CUSTOMER-NO` are one. Pure. */

/** Lower-case words; letters of German as they are written without umlauts. */
export const wordsOf = (name: string): readonly string[] =>
  name
    .replace(/([a-z0-9])([A-Z])/g, "$1 $2")
    .toLowerCase()
    .replace(/[äöüß]/g, (letter) => LETTERS[letter] ?? letter)
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== "");

const LETTERS: Readonly<Record<string, string>> = { ä: "ae", ö: "oe", ü: "ue", ß: "ss" };

/** The words in one text, as the tables of synonyms have them. */
export const plainName = (name: string): string => wordsOf(name).join("_");

/** `customers` is `customer`, `companies` is `company`; what is no plural stays. */
export const singular = (word: string): string => {
  if (word.length > 4 && word.endsWith("ies")) return `${word.slice(0, -3)}y`;
  return word.length > 3 && word.endsWith("s") && !word.endsWith("ss") ? word.slice(0, -1) : word;
};

/**
 * Whether a configuration can hold the column: `${` would be taken for a variable of the environment, and `__proto__` is
 * refused wherever columns stand as names.
 */
export const isWritable = (column: string): boolean =>
  column !== "" && column !== "__proto__" && !column.includes("${");

/** Whether a column can stand in a template beside constants. */
export const fitsTemplate = (column: string): boolean => isWritable(column) && !/[{}]/.test(column);
