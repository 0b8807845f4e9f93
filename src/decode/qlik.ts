/**
 * Qlik Replicate, the usual way out of SAP and mainframes: `data` and `beforeData` beside headers. In JSON within a message
 * that says whether it is data (`DT`) or metadata (`MD`), and values may all be text. In Avro with a registry there is no
 * message around them; its Avro without one, whose schemas travel in a topic of their own, is not read.
 */
import type { Decoded, Row } from "../domain/change.ts";
import { DecodeError } from "./decode-error.ts";
import { NO_PLAN, toRow } from "./plan.ts";
import { isStruct, type Raw, type RawStruct, scalarText } from "./raw.ts";
import { rowChanges } from "./row-changes.ts";
import { numbersFromText, type Shape, type ShapeInput, skip } from "./shape.ts";

export const decodeQlik: Shape = (input) => {
  const { value } = input;
  if (value.type === "MD") return skip("metadata");
  // The envelope around the message can be switched off.
  const message = isStruct(value.message) ? value.message : value;
  const plan = message === value ? input.plan : (input.plan.structs.get("message") ?? NO_PLAN);
  const { settings } = input;
  const { headers } = message;
  if (!isStruct(headers)) throw new DecodeError("shape-mismatch", "It is no message of Qlik Replicate: no headers.");
  switch (headers.operation) {
    case "INSERT":
      return rowOf("c", message, headers, { plan, settings });
    case "UPDATE":
      return rowOf("u", message, headers, { plan, settings });
    case "DELETE":
      return rowOf("d", message, headers, { plan, settings });
    case "REFRESH":
      return rowOf("r", message, headers, { plan, settings });
    default:
      throw new DecodeError("unknown-op", "Its operation is none of INSERT, UPDATE, DELETE and REFRESH.");
  }
};

const rowOf = (
  op: "c" | "u" | "d" | "r",
  message: RawStruct,
  headers: RawStruct,
  { plan, settings }: Pick<ShapeInput, "plan" | "settings">,
): Decoded => {
  const imageOf = (name: "data" | "beforeData"): Row | null => {
    const raw = message[name];
    if (!isStruct(raw)) return null;
    return toRow(numbersFromText(raw, settings), plan.structs.get(name) ?? NO_PLAN, settings);
  };
  const data = imageOf("data");
  const before = imageOf("beforeData");
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

/** Headers without a value are empty text. */
const filled = (raw: Raw | undefined): string | null => scalarText(raw) || null;

/** The time comes without zone; it is read as UTC. */
const utcMs = (text: string | null): number | null => {
  const ms = text === null ? Number.NaN : Date.parse(/Z$|[+-]\d\d:?\d\d$/.test(text) ? text : `${text}Z`);
  return Number.isNaN(ms) ? null : ms;
};
