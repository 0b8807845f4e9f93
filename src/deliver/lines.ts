/** An order's lines as they are and as they shall be: the first difference between the two. Pure. */
import type { Fields } from "../domain/mutation.ts";
import type { Json } from "./call.ts";

/** A line in Sell, as it shows it or as we wrote it. */
export interface Line {
  readonly id: number;
  readonly data: Json;
}

export type Difference =
  | { readonly kind: "extra"; readonly line: Line }
  | { readonly kind: "missing"; readonly wanted: Fields };

/**
 * Lines cannot be changed, so one that differs is an extra one and a missing one. What goes is named before what comes: a
 * deal takes a limited number of products. Null: nothing differs.
 */
export const firstDifference = (lines: readonly Line[], wanted: readonly Fields[]): Difference | null => {
  const left = [...lines];
  const missing = wanted.filter((line) => {
    const at = left.findIndex(({ data }) => isSame(data, line));
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
  const [extra] = left;
  if (extra !== undefined) return { kind: "extra", line: extra };
  const [first] = missing;
  return first === undefined ? null : { kind: "missing", wanted: first };
};

/** Sell tells a line's product by its sku, and does not show the id it was given. Only what is mapped is compared. */
const isSame = (line: Json, wanted: Fields): boolean =>
  Object.entries(wanted).every(([name, value]) => {
    if (name === "product_id") return line["product_id"] === undefined || line["product_id"] === value;
    if (name === "sku" && line["product_id"] !== undefined) return true;
    return value === null || plain(line[name]) === plain(value);
  });

/** `5`, `"5"` and `"5.00"` are one amount. */
const plain = (value: unknown): string => {
  const text = String(value ?? "");
  if (!/^-?\d+(\.\d+)?$/.test(text)) return text;
  const [whole = "", fraction = ""] = text.split(".");
  const digits = whole.replace(/^(-?)0+(?=\d)/, "$1");
  const places = withoutZerosBehind(fraction);
  return places === "" ? digits.replace(/^-0$/, "0") : `${digits}.${places}`;
};

/** By a loop: a pattern would look for its end once a zero, and a record may hold a megabyte of them. */
const withoutZerosBehind = (digits: string): string => {
  let end = digits.length;
  while (digits[end - 1] === "0") end--;
  return digits.slice(0, end);
};

/** What is sent for a new line. */
export const newLine = ({ sku: _, ...line }: Fields): Fields => line;
