/** What today's routes make of a record that is read from outside the group. */
import type { Change } from "../domain/change.ts";
import { isConnectorError } from "../domain/errors.ts";
import type { Mutation } from "../domain/mutation.ts";
import type { ConsumerRecord } from "../domain/record.ts";
import type { Decoder, Mapper } from "../domain/stages.ts";

/**
 * Empty for what the routes skip, null for what they or the schemas cannot read. Rejects like `Decoder.decode` when a registry
 * does not answer.
 */
export const mutationsOf = async (
  record: ConsumerRecord,
  { decoder, mapper }: { readonly decoder: Decoder; readonly mapper: Mapper },
): Promise<readonly Mutation[] | null> => {
  const changes = await changesOf(record, decoder);
  if (changes === null) return null;
  const mutations: Mutation[] = [];
  for (const change of changes) {
    const mapped = mapper.map(change, record);
    if (mapped.status === "errant") return null;
    if (mapped.status === "mutations") mutations.push(...mapped.mutations);
  }
  return mutations;
};

/** Empty for what is no change of a row, null for what the schemas cannot read. Rejects as above. */
export const changesOf = async (record: ConsumerRecord, decoder: Decoder): Promise<readonly Change[] | null> => {
  try {
    const decoded = await decoder.decode(record);
    if (decoded.status === "changes") return decoded.changes;
    return decoded.status === "skip" ? [] : null;
  } catch (error) {
    if (isConnectorError(error) && !UNREADABLE.has(error.code)) throw error;
    return null;
  }
};

/** A registry that does not answer is another matter. */
const UNREADABLE: ReadonlySet<string> = new Set(["SCHEMA_NOT_FOUND_YET", "SCHEMA_OF_OTHER_KIND", "SCHEMA_UNUSABLE"]);
