/**
 * What ERPs call the things that Sell has, as data: topics by entity, columns by field. In the words of `plainName`, in the
 * singular; English and German. A name that is not here is left to a person.
 */
import type { Entity } from "../domain/mutation.ts";

/** Entities that are proposed; an order of Sell hangs on a deal, and what an ERP calls an order is a deal in Sell. */
export type Proposed = Exclude<Entity, "orders">;

/** What a topic with rows of the entity is called, and what a column that points to one begins with. */
export const NOUNS: Readonly<Record<Proposed, readonly string[]>> = {
  accounts: [
    ...["account", "customer", "client", "company", "organization", "organisation", "business"],
    ...["debtor", "debitor", "kunde", "kunden", "firma", "firmen"],
  ],
  contacts: [...["contact", "person", "people", "employee"], ...["ansprechpartner", "kontakt", "kontakte", "personen"]],
  leads: ["lead", "prospect", "inquiry", "interessent", "interessenten"],
  products: ["product", "article", "item", "material", "sku", "produkt", "produkte", "artikel"],
  deals: [
    ...["deal", "order", "opportunity", "quote", "quotation", "offer", "contract", "salesorder"],
    ...["auftrag", "auftraege", "angebot", "angebote", "bestellung", "bestellungen"],
  ],
};

/** Behind the noun of a deal they make a topic with one row a line. */
export const LINE_WORDS: ReadonlySet<string> = new Set([
  ...["line", "item", "position", "detail", "row", "product"],
  ...["zeile", "zeilen", "positionen"],
]);

/** How a key is called by itself, or behind the noun of what it is the key of. */
export const KEY_WORDS: ReadonlySet<string> = new Set([
  ...["id", "no", "nr", "num", "number", "key", "code", "ref", "uuid", "guid", "nummer"],
]);

/** In front of a key they make it that of a record above. */
export const PARENT_WORDS: ReadonlySet<string> = new Set(["parent", "head", "mother", "holding", "group"]);

/** In a column's name they make a number of what may be base64 or text. */
export const AMOUNT_WORDS: ReadonlySet<string> = new Set([
  ...[
    "amount",
    "balance",
    "cost",
    "discount",
    "fee",
    "limit",
    "margin",
    "price",
    "rate",
    "sum",
    "tax",
    "total",
    "value",
  ],
  ...["turnover", "revenue", "betrag", "preis", "rabatt", "saldo", "summe", "umsatz"],
]);

/** How a value has to be written, and which columns can give it. */
export type Form =
  | "any"
  | "text"
  /** Also where the ERP has a number. */
  | "code"
  | "email"
  | "phone"
  | "amount"
  | "whole"
  | "date"
  | "moment"
  | "flag";

export interface FieldRule {
  readonly field: string;
  readonly form: Form;
  /** The likelier ones first. */
  readonly names: readonly string[];
}

const rule = (field: string, form: Form, ...names: readonly string[]): FieldRule => ({ field, form, names });

const addressRules = (group: string, ...prefixes: readonly string[]): readonly FieldRule[] =>
  ADDRESS.map(([member, form, names]) => ({
    field: `${group}.${member}`,
    form,
    names: prefixes.flatMap((prefix) => names.map((name) => prefix + name)),
  }));

const ADDRESS: readonly (readonly [member: string, form: Form, names: readonly string[]])[] = [
  [
    "line1",
    "text",
    [
      ...["street", "address", "address_line1", "address_line_1", "address1", "line1", "street_address"],
      ...["strasse", "adresse"],
    ],
  ],
  ["city", "text", ["city", "town", "ort", "stadt"]],
  ["postal_code", "code", ["postal_code", "postcode", "zip", "zip_code", "zipcode", "plz", "postleitzahl"]],
  ["state", "text", ["state", "region", "province", "county", "bundesland"]],
  ["country", "text", ["country", "country_name", "country_code", "land"]],
];

/** What persons, companies and leads share. */
const PARTY: readonly FieldRule[] = [
  rule("email", "email", "email", "e_mail", "mail", "email_address", "e_mail_address", "mail_address", "contact_email"),
  rule("phone", "phone", "phone", "telephone", "phone_number", "phone_no", "tel", "telefon", "telefonnummer", "phone1"),
  rule("mobile", "phone", "mobile", "mobile_phone", "mobile_number", "cell", "cell_phone", "mobil", "handy"),
  rule("fax", "phone", "fax", "fax_number", "fax_no", "telefax"),
  rule("website", "text", "website", "web", "url", "homepage", "web_site", "webseite"),
  rule("industry", "text", "industry", "sector", "branche"),
  rule("description", "text", "description", "remark", "remarks", "note", "notes", "comment", "bemerkung", "notiz"),
  rule("linkedin", "text", "linkedin"),
  rule("twitter", "text", "twitter"),
  ...addressRules("address", "", "main_", "home_"),
];

const CUSTOMER: readonly FieldRule[] = [
  ...PARTY,
  ...addressRules("billing_address", "billing_", "invoice_", "bill_to_"),
  ...addressRules("shipping_address", "shipping_", "delivery_", "ship_to_"),
];

const COMPANY_NAMES = [
  ...["company_name", "name", "legal_name", "organization_name", "organisation_name", "display_name", "name1"],
  ...["company", "organization", "firma", "firmenname"],
];

const PERSON: readonly FieldRule[] = [
  rule("first_name", "text", "first_name", "firstname", "given_name", "forename", "vorname"),
  rule("last_name", "text", "last_name", "lastname", "surname", "family_name", "nachname", "full_name", "name"),
  rule("title", "text", "job_title", "title", "job", "position", "role", "function", "funktion"),
];

/** By entity, in the order in which a person would write them; what comes first may choose first. */
export const FIELD_RULES: Readonly<Record<Proposed, readonly FieldRule[]>> = {
  accounts: [rule("name", "text", ...COMPANY_NAMES), ...CUSTOMER],
  contacts: [...PERSON, ...CUSTOMER],
  leads: [
    ...PERSON,
    rule("organization_name", "text", "organization_name", "company_name", "company", "organization", "firma"),
    ...PARTY,
  ],
  deals: [
    rule("name", "text", "name", "title", "subject", "description", "bezeichnung", "betreff"),
    rule(
      "value",
      "amount",
      ...["total", "amount", "value", "total_amount", "grand_total", "net_total", "net_amount", "order_total"],
      ...["total_value", "sum", "price", "summe", "betrag", "gesamtbetrag", "auftragswert"],
    ),
    rule("currency", "text", "currency", "currency_code", "waehrung"),
    rule(
      "estimated_close_date",
      "date",
      ...["close_date", "estimated_close_date", "expected_close_date", "deliver_on", "delivery_date", "due_date"],
      ...["requested_delivery_date", "ship_date", "lieferdatum", "valid_until"],
    ),
    rule("added_at", "moment", "order_date", "ordered_at", "ordered_on", "created_at", "created_on", "auftragsdatum"),
    rule("customized_win_likelihood", "whole", "probability", "win_probability", "likelihood"),
  ],
  products: [
    rule("name", "text", "name", "title", "product_name", "short_text", "bezeichnung"),
    rule("description", "text", "description", "long_text", "details", "beschreibung"),
    rule("active", "flag", "active", "is_active", "enabled", "aktiv"),
    rule("cost", "amount", "cost", "unit_cost", "purchase_price", "cost_price", "einkaufspreis"),
    rule("cost_currency", "text", "cost_currency", "currency", "currency_code"),
    rule("max_discount", "whole", "max_discount"),
    rule("max_markup", "whole", "max_markup"),
  ],
};

/** Fields that point to a record of one of these entities, the likelier first. */
export const REFERENCES: Readonly<
  Partial<Record<Proposed, { readonly field: string; readonly to: readonly Proposed[] }>>
> = {
  accounts: { field: "parent_organization_id", to: ["accounts"] },
  contacts: { field: "contact_id", to: ["accounts"] },
  deals: { field: "contact_id", to: ["accounts", "contacts"] },
};

export interface Suggestion {
  readonly names: readonly string[];
  /** A line of the configuration for a person to complete; `%` is the column. */
  readonly line: string;
}

const suggestion = (line: string, ...names: readonly string[]): Suggestion => ({ line, names });

const OWNER = suggestion(
  "owner_id: { owner: { from: % }, write: onCreate }",
  ...["owner_email", "rep_email", "sales_rep_email", "salesperson_email", "account_manager_email"],
);
const TAGS = suggestion(
  'tags: { from: %, transform: { split: ";" }, owned: { prefix: "erp-" } }',
  ...["tags", "interests", "segment", "segments", "category", "categories"],
);

/** Columns that only a person can map, because the values have to be translated. */
export const SUGGESTIONS: Readonly<Record<Proposed, readonly Suggestion[]>> = {
  accounts: [
    suggestion(
      "customer_status: { from: %, values: { A: current, I: past }, default: none }",
      ...["status", "customer_status", "account_status", "state", "active"],
    ),
    OWNER,
    TAGS,
  ],
  contacts: [OWNER, TAGS],
  leads: [suggestion("status: { from: %, values: { N: New } }", "status", "lead_status"), OWNER, TAGS],
  deals: [
    suggestion(
      "stage_id: { stage: { from: %, values: { open: Incoming, won: Won, lost: Lost } } }",
      ...["status", "stage", "state", "order_status", "phase"],
    ),
    OWNER,
    TAGS,
  ],
  products: [
    suggestion(
      "prices.EUR: { from: %, as: decimal(2) }",
      ...["price", "unit_price", "list_price", "sales_price", "preis", "verkaufspreis"],
    ),
  ],
};
