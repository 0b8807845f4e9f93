/**
 * Qlik Replicate, the usual way out of SAP and mainframes: `data` and `beforeData` beside headers, all within a message that
 * says whether it is data (`DT`) or metadata (`MD`). Values may all be text.
 */
import type { Decoded, Row } from "../domain/change.ts";
import { DecodeError } from "./decode-error.ts";
import { NO_PLAN, toRow } from "./plan.ts";
import { isStruct, type Raw, type RawStruct, scalarText } from "./raw.ts";
import { rowChanges } from "./row-changes.ts";
import { numbersFromText, type Shape, type ShapeInput, type ShapeSettings, skip } from "./shape.ts";

export const decodeQlik: Shape = (input) => {
  const { value } = input;
  if (value.type === "MD") return skip("metadata");
  // The envelope around the message can be switched off.
  const message = isStruct(value.message) ? value.message : value;
  const { headers } = message;
  if (!isStruct(headers)) throw new DecodeError("shape-mismatch", "It is no message of Qlik Replicate: no headers.");
  switch (headers.operation) {
    case "INSERT":
      return rowOf("c", message, headers, input);
    case "UPDATE":
      return rowOf("u", message, headers, input);
    case "DELETE":
      return rowOf("d", message, headers, input);
    case "REFRESH":
      return rowOf("r", message, headers, input);
    default:
      throw new DecodeError("unknown-op", "Its operation is none of INSERT, UPDATE, DELETE and REFRESH.");
  }
};

const rowOf = (
  op: "c" | "u" | "d" | "r",
  message: RawStruct,
  headers: RawStruct,
  { settings }: ShapeInput,
): Decoded => {
  const data = imageOf(message.data, settings);
  const before = imageOf(message.beforeData, settings);
  const sequence = filled(headers.changeSequence);
  return rowChanges({
    op,
    recordKey: null,
    keyColumns: settings.keyColumns,
    before: op === "d" ? (before ?? data) : before,
    after: op === "d" ? null : data,
    version: sequence === null || op === "r" ? null : { kind: "sequence", parts: [sequence] },
    origin: op === "r" ? "snapshot" : "streamed",
    sourceTsMs: utcMs(filled(headers.timestamp)),
    txId: filled(headers.transactionId),
  });
};

const imageOf = (raw: Raw | undefined, settings: ShapeSettings): Row | null =>
  isStruct(raw) ? toRow(numbersFromText(raw, settings), NO_PLAN, settings.hints) : null;

/** Headers without a value are empty text. */
const filled = (raw: Raw | undefined): string | null => scalarText(raw) || null;

/** The time comes without zone; it is read as UTC. */
const utcMs = (text: string | null): number | null => {
  const ms = text === null ? Number.NaN : Date.parse(/Z$|[+-]\d\d:?\d\d$/.test(text) ? text : `${text}Z`);
  return Number.isNaN(ms) ? null : ms;
};
