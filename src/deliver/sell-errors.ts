/**
 * Sell's error envelope, read defensively: it may be empty, HTML, plain text, one of three JSON shapes, or cut.
 * Only codes and field names come out, and only if they look like ones: a server's prose may quote the record or a header.
 */
import { isRecord } from "./resources.ts";

export interface SellErrors {
  /** Every error code the reply named. */
  readonly codes: readonly string[];
  /** Code and field of the first error about a field, else of the first error. */
  readonly code: string | null;
  readonly field: string | null;
  /** The body is a JSON object: Sell speaks so, and hardly anybody in between. */
  readonly isJson: boolean;
}

const NONE: SellErrors = { codes: [], code: null, field: null, isJson: false };
const MAX_ERRORS = 50;

export const parseErrors = (body: string): SellErrors => {
  if (!body.startsWith("{")) return NONE;
  try {
    return readErrors(JSON.parse(body));
  } catch {
    return NONE;
  }
};

/** `{errors: [{error: {code, field}}]}` of Sell and of a bulk item, or `{error: "rate_limit_exceeded"}`. */
export const readErrors = (json: unknown): SellErrors => {
  if (!isRecord(json)) return NONE;
  const entries = Array.isArray(json["errors"])
    ? json["errors"].slice(0, MAX_ERRORS)
    : [{ error: { code: json["error"] } }];
  const errors = entries.map((entry: unknown) => {
    const error = isRecord(entry) ? entry["error"] : null;
    return isRecord(error)
      ? { code: word(error["code"]), field: fieldName(error["field"]) }
      : { code: null, field: null };
  });
  const told =
    errors.find(({ code, field }) => code !== null && field !== null) ?? errors.find(({ code }) => code !== null);
  return {
    codes: errors.flatMap(({ code }) => (code === null ? [] : [code])),
    code: told?.code ?? null,
    field: told?.field ?? null,
    isJson: true,
  };
};

/** The sentence for a person, in our words only. */
export const explain = (status: number, { code, field }: SellErrors): string => {
  const what = field === null ? "the record" : `the record for its field ${field}`;
  if (code === null) return `Sell refused ${what} (HTTP ${status}).`;
  const why = WORDS.get(code);
  return `Sell refused ${what}: ${why === undefined ? code : why} (HTTP ${status} ${code}).`;
};

/** A map: Sell names the code, and may name it `constructor`. */
const WORDS = new Map([
  ["unknown", "it has no such attribute"],
  ["missing", "a required attribute is missing"],
  ["already_exists", "another record has this value already"],
  ["blank", "the attribute must not be blank"],
  ["invalid_type", "the value has the wrong type"],
  ["incorrect_value", "the value is not allowed"],
  ["ambiguous_match", "several records in Sell carry this ERP key; merge or delete all but one"],
  ["too_many_items", "the batch holds too many records"],
]);

const word = (value: unknown): string | null =>
  typeof value === "string" && /^[a-z][a-z0-9_]{0,39}$/.test(value) ? value : null;

/** `/items/7/data/custom_fields/erp_id` and `/custom_fields/erp_id` both name `custom_fields.erp_id`. */
const fieldName = (value: unknown): string | null => {
  if (typeof value !== "string" || !/^[\w ./[\]-]{1,200}$/.test(value)) return null;
  const name = value
    .replace(/^\/items\/\d+/, "")
    .replace(/^\/data(?=\/)/, "")
    .replace(/^\//, "")
    .replaceAll("/", ".");
  return name === "" ? null : name;
};
