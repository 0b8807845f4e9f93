/**
 * AWS DMS: the row in `data`, the operation in `metadata`. It names no key columns and no position. The row before an update
 * comes only where the task asks for it, under a name that the task chooses, and of its key columns alone unless told
 * otherwise: without it a changed key is seen as a new row only.
 */
import type { Decoded, Row } from "../domain/change.ts";
import { DecodeError } from "./decode-error.ts";
import { NO_PLAN, toRow } from "./plan.ts";
import { isStruct, type RawStruct, scalarText } from "./raw.ts";
import { overlaid, rowChanges } from "./row-changes.ts";
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

const rowOf = (op: "c" | "u" | "d" | "r", metadata: RawStruct, input: ShapeInput): Decoded => {
  const { settings } = input;
  const row = imageOf("data", input);
  const before = settings.beforeField === null ? null : imageOf(settings.beforeField, input);
  const committedMs = Date.parse(scalarText(metadata["commit-timestamp"]) ?? "");
  return rowChanges({
    op,
    recordKey: null,
    keyColumns: settings.keyColumns,
    // A deleted row stands in data; its image adds nothing but what data may lack.
    before: op === "d" ? row && overlaid(row, before) : before,
    after: op === "d" ? null : row,
    ...tableNamed(metadata["schema-name"], metadata["table-name"]),
    version: null,
    origin: op === "r" ? "snapshot" : "streamed",
    sourceTsMs: Number.isNaN(committedMs) ? null : committedMs,
    txId: scalarText(metadata["transaction-id"]),
  });
};

const imageOf = (name: string, { value, plan, settings }: ShapeInput): Row | null => {
  const image = value[name];
  return isStruct(image) ? toRow(image, plan.structs.get(name) ?? NO_PLAN, settings) : null;
};
