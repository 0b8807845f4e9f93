/** The fields of one route: each column goes to the field that its name tells, if its values fit; the others are left to a person. */
import type { CustomField } from "../domain/custom-field.ts";
import type { Column } from "./columns.ts";
import { type FormOptions, formed, formOf, type Written } from "./forms.ts";
import { isWritable, plainName, singular, wordsOf } from "./names.ts";
import { FIELD_RULES, NOUNS, type Proposed, SUGGESTIONS } from "./synonyms.ts";

export interface DraftField {
  readonly field: string;
  readonly written: Written;
  readonly note: string | null;
}

/** A column that nothing was made of. */
export interface OpenColumn {
  readonly column: string;
  /** A line of the configuration, to be taken over or not. */
  readonly line: string;
  readonly note: string | null;
}

export interface FieldsOptions extends FormOptions {
  /** Custom fields of the account, for the entity; null: nobody was asked. */
  readonly customFields: readonly CustomField[] | null;
  /** The custom field that holds the ERP key, which the connector writes itself. */
  readonly keyField: string;
}

export interface Fields {
  readonly fields: readonly DraftField[];
  /** Types of columns that the records do not carry. */
  readonly hints: Readonly<Record<string, string>>;
  /** Columns that are left. */
  readonly rest: readonly Column[];
}

export const fieldsOf = (entity: Proposed, columns: readonly Column[], options: FieldsOptions): Fields => {
  const fields: DraftField[] = [];
  const hints: Record<string, string> = {};
  const left = new Set(columns.filter(({ name }) => isWritable(name)));
  const take = (field: string, form: Parameters<typeof formed>[0], column: Column): boolean => {
    const made = formed(form, column, options);
    if (made === null) return false;
    fields.push({ field, written: made.written, note: made.note });
    if (made.hint !== null) hints[column.name] = made.hint;
    left.delete(column);
    return true;
  };
  for (const { field, form, names } of FIELD_RULES[entity]) {
    const candidates = names.flatMap((name) => [...left].filter((column) => called(column, entity).includes(name)));
    candidates.some((column) => take(field, form, column));
  }
  for (const custom of customFieldsFor(entity, options)) {
    const column = [...left].find(({ name }) => plainName(name) === plainName(custom.name));
    if (column !== undefined) take(`custom_fields.${custom.name}`, formOf(column, custom.type === "number"), column);
  }
  return { fields, hints, rest: columns.filter((column) => left.has(column) || !isWritable(column.name)) };
};

/** A column's name, and without the noun of its own table in front: a customer's customer_name is its name. */
const called = ({ name }: Column, entity: Proposed): readonly string[] => {
  const [first = "", ...others] = wordsOf(name);
  const isOwn = others.length > 0 && NOUNS[entity].includes(singular(first));
  return isOwn ? [plainName(name), others.join("_")] : [plainName(name)];
};

/** Those with choices are left to a person: whether the ERP's values are among them cannot be seen from here. */
const customFieldsFor = (entity: Proposed, { customFields, keyField }: FieldsOptions): readonly CustomField[] =>
  (customFields ?? []).filter(
    ({ name, choices, forCompanies, forPersons }) =>
      choices === null &&
      name !== keyField &&
      plainName(name) !== "" &&
      WRITABLE.test(name) &&
      (entity === "accounts" ? forCompanies : entity === "contacts" ? forPersons : true),
  );

const WRITABLE = /^(?!__proto__$)[\x20-\uffff]+$/;

/** What a person may want to make of a column. `quoted` writes its name as YAML does. */
export const openColumn = (
  column: Column,
  entity: Proposed,
  options: FieldsOptions,
  quoted: (value: unknown) => string,
): OpenColumn => {
  const { name } = column;
  if (!isWritable(name))
    return { column: name, line: quoted(name), note: "no configuration can hold this name; rename it at the source" };
  const suggested = SUGGESTIONS[entity].find(({ names }) => called(column, entity).some((one) => names.includes(one)));
  if (suggested !== undefined)
    return { column: name, line: suggested.line.replace("%", () => quoted(name)), note: "complete it" };
  const custom = (options.customFields ?? []).find((field) => plainName(field.name) === plainName(name));
  const written = formed(formOf(column, custom?.type === "number"), column, options)?.written ?? name;
  const line = `${quoted(`custom_fields.${custom?.name ?? name}`)}: ${quoted(written)}`;
  if (custom?.choices != null) return { column: name, line, note: `Sell takes ${custom.choices.join(", ")}` };
  return { column: name, line, note: null };
};
