/**
 * AWS DMS: the row in `data`, the operation in `metadata`. It names no key columns and no position, and its before image goes
 * by a name that each task chooses: a changed key is therefore seen as a new row only.
 */

import type { Decoded } from "../domain/change.ts";
import { DecodeError } from "./decode-error.ts";
import { NO_PLAN, toRow } from "./plan.ts";
import { isStruct, type RawStruct, scalarText } from "./raw.ts";
import { rowChanges } from "./row-changes.ts";
import { type Shape, type ShapeInput, skip, tableNamed } from "./shape.ts";

export const decodeDms: Shape = (input) => {
  const { metadata } = input.value;
  if (!isStruct(metadata)) throw new DecodeError("shape-mismatch", "It is no record of AWS DMS: there is no metadata.");
  if (metadata["record-type"] === "control") return skip("dms-control");
  switch (metadata.operation) {
    case "load":
      return rowOf("r", metadata, input);
    case "insert":
      return rowOf("c", metadata, input);
    case "update":
      return rowOf("u", metadata, input);
    case "delete":
      return rowOf("d", metadata, input);
    default:
      throw new DecodeError("unknown-op", "Its operation is none of load, insert, update and delete.");
  }
};

const rowOf = (op: "c" | "u" | "d" | "r", metadata: RawStruct, { value, plan, settings }: ShapeInput): Decoded => {
  const { data } = value;
  const row = isStruct(data) ? toRow(data, plan.structs.get("data") ?? NO_PLAN, settings.hints) : null;
  const committedMs = Date.parse(scalarText(metadata["commit-timestamp"]) ?? "");
  return rowChanges({
    op,
    recordKey: null,
    keyColumns: settings.keyColumns,
    before: op === "d" ? row : null,
    after: op === "d" ? null : row,
    ...tableNamed(metadata["schema-name"], metadata["table-name"]),
    version: null,
    origin: op === "r" ? "snapshot" : "streamed",
    sourceTsMs: Number.isNaN(committedMs) ? null : committedMs,
    txId: scalarText(metadata["transaction-id"]),
  });
};
