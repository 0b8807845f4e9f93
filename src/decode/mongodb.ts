/**
 * Debezium's envelope of MongoDB: documents are text of Extended JSON inside it. An update may carry a patch instead of the
 * document; a patch becomes a row of the columns it names, removed ones null, and all others stay absent.
 */
import type { Row } from "../domain/change.ts";
import { DecodeError } from "./decode-error.ts";
import { envelopeShape, type Images } from "./envelope.ts";
import { parseExactJson } from "./exact-json.ts";
import { plainDocument } from "./extended-json.ts";
import { type ColumnSettings, NO_PLAN, toRow } from "./plan.ts";
import { isStruct, type Raw, type RawStruct, unmark } from "./raw.ts";

/** Documents bring their types, so hints have no say here, and are never left out in part. */
export const decodeMongodb = envelopeShape(({ op, before, after, updateDescription }): Images => {
  const document = documentOf(after);
  const images = { before: documentOf(before), after: document };
  if (op !== "u" || document !== null || !isStruct(updateDescription)) return images;
  return { ...images, after: patchOf(updateDescription), isPatch: true };
});

const documentOf = (raw: Raw | undefined): Row | null => {
  const document = parsed(raw);
  return document === null ? null : toRow(document, NO_PLAN, AS_IT_IS);
};

/** `address.city` names a member of a document: it stays a column of that name, and `address` is left alone. */
const patchOf = ({ updatedFields, removedFields }: RawStruct): Row => {
  const patch: Record<string, Raw> = Object.assign(Object.create(null), parsed(updatedFields));
  for (const name of Array.isArray(removedFields) ? removedFields : [])
    if (typeof name === "string") patch[unmark(name)] = null;
  return toRow(patch, NO_PLAN, AS_IT_IS);
};

const parsed = (raw: Raw | undefined): RawStruct | null => {
  if (raw === null || raw === undefined) return null;
  const document = typeof raw === "string" ? plainDocument(parseExactJson(unmark(raw))) : null;
  if (isStruct(document)) return document;
  throw new DecodeError("shape-mismatch", "It is no MongoDB change: a document is not text of a JSON object.");
};

const AS_IT_IS: ColumnSettings = { hints: new Map(), isUnavailable: () => false };
