/** The catalogue of custom fields: made in Sell's settings only, never by the API. */
import type { CustomField, SandboxConfig } from "./config.ts";

export interface CatalogueField extends CustomField {
  readonly id: number;
  readonly filterable: boolean;
}

/** By the name of the field; requests use names, not ids. */
export type FieldTable = ReadonlyMap<string, CatalogueField>;
export type Catalogue = { readonly [owner in CustomFieldOwner]: FieldTable };

export const CUSTOM_FIELD_OWNERS = ["contact", "lead", "deal", "prospect_and_customer"] as const;
export type CustomFieldOwner = (typeof CUSTOM_FIELD_OWNERS)[number];

/** Sell can filter, and so find a key, by these types only. */
const FILTERABLE: readonly CustomField["type"][] = ["string", "number", "list", "multi_select_list"];

const DEFAULT_FIELDS = {
  contact: [
    { name: "erp_id", type: "string" },
    { name: "credit_limit", type: "number" },
    { name: "customer_group", type: "list", choices: ["retail", "wholesale", "key account"] },
    { name: "interests", type: "multi_select_list", choices: ["hardware", "software", "service"] },
    { name: "last_order_on", type: "date" },
    { name: "payment_terms", type: "string" },
    { name: "vat_id", type: "string" },
    { name: "on_hold", type: "bool" },
    { name: "remarks", type: "text" },
  ],
  lead: [
    { name: "erp_id", type: "string" },
    { name: "campaign", type: "string" },
  ],
  deal: [
    { name: "erp_id", type: "string" },
    { name: "order_status", type: "string" },
    { name: "ordered_at", type: "datetime" },
    { name: "margin", type: "number" },
  ],
} as const satisfies { readonly [owner: string]: readonly CustomField[] };

/** Ids count from 1 over the whole catalogue. */
export const createCatalogue = (custom: SandboxConfig["customFields"]): Catalogue => {
  let id = 0;
  const table = (fields: readonly CustomField[]): FieldTable =>
    new Map(
      fields.map((field) => {
        id += 1;
        return [field.name, { ...field, id, filterable: field.filterable ?? FILTERABLE.includes(field.type) }];
      }),
    );
  return {
    contact: table(custom.contact ?? DEFAULT_FIELDS.contact),
    lead: table(custom.lead ?? DEFAULT_FIELDS.lead),
    deal: table(custom.deal ?? DEFAULT_FIELDS.deal),
    prospect_and_customer: table([]),
  };
};
