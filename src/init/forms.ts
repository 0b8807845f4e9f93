/** How a column is written into a field of a certain form: the expression, and the type it needs where records carry none. Pure. */
import type { RouteConfig } from "../map/config.ts";
import type { Column } from "./columns.ts";
import { wordsOf } from "./names.ts";
import { AMOUNT_WORDS, type Form } from "./synonyms.ts";

/** As it stands in the configuration. */
export type Written = string | { readonly [name: string]: unknown };

export interface Formed {
  readonly written: Written;
  /** Type of the column; null: none is needed. */
  readonly hint: string | null;
  /** For the person who reads the configuration; null: it speaks for itself. */
  readonly note: string | null;
}

export interface FormOptions {
  /** For phone numbers without a country; null: as most of the sampled ones say, if they do. */
  readonly country: string | null;
  /** Time zone of the ERP's clock. */
  readonly zone: string;
  readonly lacksTypes: boolean;
}

/** Null: the column's values are none of this form. */
export const formed = (form: Form, column: Column, options: FormOptions): Formed | null => {
  const { name, kind } = column;
  const plain = { written: name, hint: null, note: null };
  switch (form) {
    case "any":
      return kind === "list" || kind === "other" ? null : plain;
    case "text":
      return isText(column) ? plain : null;
    case "code":
      return isText(column) ? plain : kind === "integer" ? { ...plain, written: { from: name, as: "string" } } : null;
    case "email":
      return isText(column) ? { ...plain, written: { from: name, transform: "lowercase" } } : null;
    case "phone":
      return isText(column) || kind === "integer" ? phone(column, options) : null;
    case "amount":
      return isAmount(column) ? amount(column, options) : null;
    case "whole":
      if (kind !== "integer" && kind !== "empty") return null;
      return { ...amount(column, options), written: { from: name, as: "integer" }, note: null };
    case "date":
      return day(column, options);
    case "moment":
      return moment(column, options);
    case "flag":
      if (kind === "flag" || kind === "empty") return plain;
      return kind === "integer" && !options.lacksTypes ? { ...plain, written: { from: name, as: "boolean" } } : null;
  }
};

/**
 * What a custom field would take. `isNumber`: Sell says so; else the column's name may, since a decimal without a schema is
 * base64, and an amount must never be written as that.
 */
export const formOf = (column: Column, isNumber: boolean): Form => {
  const { name, kind, numberHint } = column;
  if (kind === "date") return "date";
  if (kind === "timestamp") return "moment";
  const isAmountToo = isNumber || wordsOf(name).some((word) => AMOUNT_WORDS.has(word));
  if (kind === "decimal" || numberHint === "varDecimal" || (kind === "text" && isAmountToo && isAmount(column)))
    return "amount";
  return "any";
};

/** Encodings whose records never carry types. */
export const TYPELESS: ReadonlySet<RouteConfig["encoding"]> = new Set(["confluent-json-schema", "apicurio-json"]);

const isText = ({ kind }: Column): boolean => kind === "text" || kind === "empty";

/** Decimals without a schema are text that only a hint makes a number of. */
const isAmount = ({ kind, numberHint }: Column): boolean =>
  kind === "decimal" ||
  kind === "integer" ||
  kind === "empty" ||
  numberHint === "varDecimal" ||
  (kind === "text" && numberHint !== null && numberHint !== "text");

const MONEY_DIGITS = 2;
/** Of what the mapping can write. */
const DIGITS_MAX = 30;

const amount = ({ name, kind, digits, numberHint }: Column, { lacksTypes }: FormOptions): Formed => {
  const written = { from: name, as: `decimal(${kind === "decimal" ? Math.min(digits, DIGITS_MAX) : MONEY_DIGITS})` };
  const hint = numberHint ?? (lacksTypes ? "text" : null);
  const isGuess = hint?.startsWith("decimal") === true;
  return { written, hint, note: isGuess ? "its scale in the database is a guess: see hints" : null };
};

const phone = (column: Column, { country }: FormOptions): Formed => {
  const { name, kind } = column;
  const known = country ?? column.country;
  const plain = kind === "integer" ? { from: name, as: "string" } : name;
  if (known === null) return { written: plain, hint: null, note: "as it is; --country DE would make it E.164" };
  const written = { from: name, transform: { phone: known } };
  return { written, hint: null, note: `numbers without + are taken for ${known}` };
};

const day = (column: Column, options: FormOptions): Formed | null => {
  const hint = dateHint(column, options, "date");
  switch (column.kind) {
    case "date":
    case "empty":
      return { written: column.name, hint, note: null };
    case "timestamp":
      return { ...dated(column.name, options.zone, "date"), hint };
    case "integer":
      if (hint === null) return null;
      return hint === "date"
        ? { written: column.name, hint, note: null }
        : { ...dated(column.name, options.zone, "date"), hint };
    case "text":
    case "decimal":
    case "flag":
    case "list":
    case "other":
      return null;
  }
};

const moment = (column: Column, options: FormOptions): Formed | null => {
  const { name, kind } = column;
  const hint = dateHint(column, options, "timestamp");
  const isTime = kind === "date" || kind === "timestamp" || kind === "empty" || (kind === "integer" && hint !== null);
  return isTime ? { ...dated(name, options.zone, "datetime"), hint } : null;
};

const dated = (column: string, zone: string, to: "date" | "datetime"): Omit<Formed, "hint"> => ({
  written: { from: column, transform: { date: { zone, ...(to === "date" ? {} : { to }) } } },
  note: "the zone is that of the ERP's clock",
});

const dateHint = ({ kind, dateHint: hint }: Column, { lacksTypes }: FormOptions, otherwise: string): string | null => {
  if (hint !== null || !lacksTypes) return hint;
  return kind === "date" || kind === "timestamp" ? kind : kind === "empty" ? otherwise : null;
};
