/**
 * Debezium's records that are no rows. They may share topics with rows, and pass every transform untouched. Told by several
 * members each, since a flattened row may have any columns.
 */
import type { RawStruct } from "./raw.ts";

/** The reason to skip it; null when it is no control record. */
export const controlRecord = (value: RawStruct): string | null => {
  if ((value.status === "BEGIN" || value.status === "END") && "id" in value && "event_count" in value)
    return "transaction";
  if ("ddl" in value && "databaseName" in value && "source" in value) return "schema-change";
  if ("aggregate_type" in value && "additional_data" in value && "type" in value) return "notification";
  if (value.op === "m" && "message" in value && "source" in value) return "logical-message";
  return "ts_ms" in value && Object.keys(value).every((name) => name.startsWith("ts_")) ? "heartbeat" : null;
};
