/** What a mapping relies on in the account on the other side: compared with it before the first write. */
import type { Entity } from "./mutation.ts";

/** One place of the configuration. A null name comes from the records and can only be judged when it is written. */
export interface TargetUse {
  readonly entity: Entity;
  /** `Route "customers", field "owner_id"`, for sentences. */
  readonly where: string;
  readonly what: /** Records of the entity are found by their ERP key. */
    | { readonly kind: "key" }
    /** `values`: what the configuration itself writes there, as text. */
    | { readonly kind: "custom-field"; readonly name: string; readonly values: readonly string[] }
    | { readonly kind: "owner"; readonly email: string | null }
    | { readonly kind: "stage"; readonly stage: string | null; readonly pipeline: string | null };
}

/** What the comparison found. An `error` would spoil every record of the route; a `warning` cannot be decided from here. */
export interface TargetProblem {
  readonly severity: "error" | "warning";
  /** One sentence that names the place and the next step. */
  readonly message: string;
}
