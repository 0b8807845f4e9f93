/** What a Debezium `source` block says about a change: where it stands in its database's log, and how it was read. */
import type { Change } from "../domain/change.ts";
import type { Version } from "../domain/version.ts";
import { type Raw, type RawStruct, scalarText } from "./raw.ts";
import { tableNamed } from "./shape.ts";

/** The position of a change, by connector; null where a connector is unknown or gave none. Compared by `compareVersions`. */
export const versionOf = (source: RawStruct): Version | null => {
  switch (source.connector) {
    case "postgresql": {
      // Reads of an incremental snapshot have no lsn of their own, only the place of their window in the stream.
      const lsn = scalarText(source.lsn) ?? lsnOfSequence(source.sequence);
      return lsn === null ? null : { kind: "lsn", parts: [lsn] };
    }
    case "mysql":
    case "mariadb":
      return version("binlog", source, ["file", "pos", "row", "gtid"]);
    case "sqlserver":
      return version("sqlserver", source, ["commit_lsn", "change_lsn", "event_serial_no"]);
    case "db2":
      return version("db2", source, ["commit_lsn", "change_lsn"]);
    case "oracle":
      return version("oracle", source, ["commit_scn", "scn", "txSeq"]);
    case "mongodb":
      return version("mongodb", source, ["ts_ms", "ord"]);
    default:
      return null;
  }
};

/** A missing part is empty text, and sorts first. */
const version = (kind: string, source: RawStruct, fields: readonly string[]): Version | null => {
  const parts = fields.map((field) => scalarText(source[field]) ?? "");
  return parts[0] === "" ? null : { kind, parts };
};

/** `["last commit lsn","lsn"]` as text; the first may be null. */
const lsnOfSequence = (sequence: Raw | undefined): string | null =>
  typeof sequence === "string" ? (/"(\d+)"\s*\]$/.exec(sequence)?.[1] ?? null) : null;

/**
 * A read (`r`) is never `streamed`, whatever its flag says: taking it for one would let it pass as newer than the stream.
 * The flag is text today, was a boolean, and is null or absent on streamed changes of some configurations.
 */
export const originOf = (isRead: boolean, snapshot: Raw | undefined): Change["origin"] => {
  switch (snapshot) {
    case "incremental":
      return "incremental";
    case "true":
    case "first":
    case "last":
    case "first_in_data_collection":
    case "last_in_data_collection":
    case true:
      return "snapshot";
    case "false":
    case false:
    case null:
    case undefined:
      return isRead ? "snapshot" : "streamed";
    default:
      return "unknown";
  }
};

export const sourceTsMsOf = (raw: Raw | undefined): number | null => (typeof raw === "number" ? raw : null);

/** The database's transaction; MySQL and MariaDB name theirs by GTID. */
export const txIdOf = (source: RawStruct): string | null => scalarText(source.txId) ?? scalarText(source.gtid);

/** MySQL has databases for schemas, and MongoDB collections for tables. What a topic is called says less. */
export const tableOf = ({ schema, db, table, collection }: RawStruct): { readonly table?: string } =>
  tableNamed(schema ?? db, table ?? collection);
