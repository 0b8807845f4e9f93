/** Records of the CRM as they are, read and never changed: for comparing what is there with what the ERP has. */
import type { Entity } from "./mutation.ts";

/** A page, from 1 on, of all records; those of these ids, at most 100; or those with this ERP key, of which there should be one. */
export type Search = { readonly entity: Entity } & (
  | { readonly page: number }
  | { readonly ids: readonly number[] }
  | { readonly key: string }
);

export interface FoundRecord {
  readonly id: number;
  /** The ERP key it carries; null: none. */
  readonly key: string | null;
  /** As the CRM shows it. */
  readonly fields: Readonly<Record<string, unknown>>;
}

export interface Found {
  readonly records: readonly FoundRecord[];
  readonly isLast: boolean;
}
