/** What to do about one change, given what is known of its record: a pure decision, no state is touched. */
import { hash } from "node:crypto";
import type { Fields, FieldValue, Mutation, Ref } from "../domain/mutation.ts";
import type { Remembered } from "../domain/stages.ts";
import { entryId, type Plan } from "./entry.ts";

export interface Facts {
  readonly known: Remembered | null;
  /** Sell was asked by key and has no such record. */
  readonly lookedUp: boolean;
  /** Ids of parents by entry id; null or absent: not known to exist. */
  readonly parents: ReadonlyMap<string, number | null>;
  /** The remembered fingerprint may be compared. */
  readonly trusted: boolean;
}

export type Decision =
  | { readonly kind: "send"; readonly plan: Plan }
  /** Nothing to write: Sell holds it already, or there is no record to change. */
  | { readonly kind: "done"; readonly reason: "no-op" | "exists" | "missing" }
  | { readonly kind: "park"; readonly missing: readonly Ref[] };

export const decide = (mutation: Mutation, facts: Facts): Decision => {
  const { known, lookedUp } = facts;
  const id = known === null || known.deleted ? null : known.id;
  switch (mutation.action) {
    case "delete":
      if (id !== null) return send({ verb: "delete", id, body: NOTHING, fingerprint: null });
      return lookedUp || known?.deleted === true ? { kind: "done", reason: "missing" } : lookup;
    case "create":
      if (id !== null) return { kind: "done", reason: "exists" };
      return lookedUp || known?.deleted === true ? write("upsert", null, mutation, facts) : lookup;
    case "update":
      if (id !== null) return write("update", id, mutation, facts);
      return lookedUp || known?.deleted === true ? { kind: "done", reason: "missing" } : lookup;
    case "upsert":
      // An upsert goes by the key, and would bring back what somebody deleted; an update finds out by the id.
      return write(id !== null && mutation.onMissing !== "recreate" ? "update" : "upsert", id, mutation, facts);
  }
};

const NOTHING: Fields = Object.freeze({});
const send = (plan: Plan): Decision => ({ kind: "send", plan });
const lookup: Decision = send({ verb: "lookup", id: null, body: NOTHING, fingerprint: null });

const write = (verb: "upsert" | "update", id: number | null, mutation: Mutation, facts: Facts): Decision => {
  const missing = mutation.refs.filter((ref) => typeof facts.parents.get(entryId(ref.entity, ref.key)) !== "number");
  if (missing.length > 0) return { kind: "park", missing };
  const body = withReferences(mutation, facts.parents);
  const fingerprint = mutation.action === "create" ? null : hash("sha1", JSON.stringify(body), "base64");
  // Only a full image is compared with what was written last, and a tombstone behind a delete that became an update.
  const isComparable = (mutation.complete || mutation.tombstone) && id !== null && facts.trusted;
  if (isComparable && fingerprint !== null && fingerprint === facts.known?.fingerprint) {
    return { kind: "done", reason: "no-op" };
  }
  return send({ verb, id, body, fingerprint });
};

const withReferences = (mutation: Mutation, parents: Facts["parents"]): Fields => {
  if (mutation.refs.length === 0) return mutation.fields;
  const body: Record<string, FieldValue> = { ...mutation.fields };
  for (const ref of mutation.refs) {
    setPath(body, ref.field.split("."), parents.get(entryId(ref.entity, ref.key)) ?? null);
  }
  return body;
};

/** Copies each object and list on the way: the mutation itself must stay as it is. */
const setPath = (body: Record<string, FieldValue>, [name, ...rest]: readonly string[], value: FieldValue): void => {
  if (name === undefined) return;
  if (rest.length === 0) {
    body[name] = value;
    return;
  }
  const old = body[name];
  const inner = Array.isArray(old) ? [...old] : { ...(old as Fields | undefined) };
  setPath(inner as Record<string, FieldValue>, rest, value);
  body[name] = inner;
};
