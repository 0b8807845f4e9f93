/** Debezium's records that are no rows. They share topics with rows at times, and pass every transform untouched. */
import type { RawStruct } from "./raw.ts";

/** The reason to skip it; null when it is no control record. */
export const controlRecord = (value: RawStruct): string | null => {
  if ((value.status === "BEGIN" || value.status === "END") && "id" in value) return "transaction";
  if ("ddl" in value && "source" in value) return "schema-change";
  if ("aggregate_type" in value && "type" in value) return "notification";
  return "ts_ms" in value && Object.keys(value).every((name) => name.startsWith("ts_")) ? "heartbeat" : null;
};
