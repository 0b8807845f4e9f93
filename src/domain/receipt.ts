/** What goes out in one request and what came back, item by item. */
import type { Entity, Fields } from "./mutation.ts";

/** `lookup` asks for the id of one key; the others write. One verb a batch. */
export type Verb = "upsert" | "update" | "delete" | "lookup";

export interface Write {
  readonly entity: Entity;
  readonly key: string;
  /** The CRM's id of the record as far as it is remembered. */
  readonly id: number | null;
  /** The request body without the key field, references filled in; empty for `delete` and `lookup`. */
  readonly body: Fields;
  /**
   * Requests of one series are steps and tries on the way to one verdict, in which nobody else writes the record: what they
   * find out holds for the next one. Absent: they are all of one.
   */
  readonly series?: number;
}

/** Writes of one entity and one verb, each key once; at most `Target.maxItems` of them, at least one. */
export interface Batch {
  readonly entity: Entity;
  readonly verb: Verb;
  readonly writes: readonly Write[];
}

export type Outcome =
  /** `missing`: nothing to update or delete, or a lookup found nothing. `id` is null only then. */
  | {
      readonly status: "accepted";
      readonly result: "created" | "updated" | "unchanged" | "deleted" | "found" | "missing";
      readonly id: number | null;
      /** Searches may miss what was written for a while, as they do after a creation. */
      readonly lags?: true;
    }
  /**
   * A step is done and more are to follow: the same record again, at once or, if it was `created`, when searches find it;
   * `alone`: in a request of its own.
   */
  | { readonly status: "progress"; readonly reason: string; readonly alone: boolean; readonly created: boolean }
  /** Permanent, and about this record: a dead letter. */
  | {
      readonly status: "rejected";
      readonly reason: string;
      readonly message: string;
      readonly httpStatus: number;
      readonly code?: string;
      readonly field?: string;
    }
  /**
   * Surely not applied; comes again after a backoff. `limited` tries end as a dead letter with this reason; `alone`: it is the
   * record that does not get through, so it is tried in a request of its own, and rarely.
   */
  | { readonly status: "retriable"; readonly reason: string; readonly limited?: true; readonly alone?: true }
  /** It may have been applied, or may yet be: the same body again, nothing else of that key before `lateApplyMaxMs`. */
  | { readonly status: "unknown"; readonly reason: string }
  /** The request was refused as a whole for one of its items: halves find out which. Never with a single item. */
  | { readonly status: "refused"; readonly reason: string };

/** The server has told what became of the record. */
export const isVerdict = ({ status }: Outcome): boolean =>
  status === "accepted" || status === "rejected" || status === "progress";

/** The server asked everybody to wait. `hintMs` null: it did not say for how long. */
export interface Throttle {
  readonly hintMs: number | null;
  /** Where the wait was read: `header-seconds`, `header-date`, `body`, `reset`, `none`. */
  readonly source: string;
}

/** Nothing is wrong with the records: a credential, a permission or a setting is. */
export interface Halt {
  /** `auth` and `configuration` stop all requests, `rights` and `blocked` those of the entity. */
  readonly kind: "auth" | "rights" | "configuration" | "blocked";
  /** One sentence that names the credential or setting and the next step. */
  readonly message: string;
}

/** What a request is called: by us, in its log line, and by the server, in whose words its support asks for it. */
export interface RequestNames {
  readonly batchId: string;
  /** Visible ASCII, at most 128 characters; null: no reply, or it had none. */
  readonly requestId: string | null;
}

export interface Receipt {
  /** Same order and length as `batch.writes`. */
  readonly outcomes: readonly Outcome[];
  readonly throttle: Throttle | null;
  readonly halt: Halt | null;
  /** HTTP status of the reply; null when none came. */
  readonly httpStatus: number | null;
  /** Null: no request left. */
  readonly names: RequestNames | null;
  /** Quota headers as announced, if any. */
  readonly announced: Announced | null;
}

export interface Announced {
  readonly limit: number | null;
  readonly remaining: number | null;
  /** Milliseconds until the announced reset. */
  readonly resetMs: number | null;
}
