/** Dead letters as text: a line, a page, JSON. What a record or Sell wrote may hold anything, so all of it is made printable. */
import type { ConsumerRecord } from "../domain/record.ts";
import { positionName } from "../domain/record.ts";
import type { JudgedLetter } from "../replay/states.ts";
import { printable } from "../telemetry/text.ts";
import { styled, type Terminal } from "./terminal.ts";

const STYLES = { open: "yellow", healed: "green", unrouted: "dim", unknown: "dim" } as const;

export const letterAsLine = (found: JudgedLetter, terminal: Terminal): string => {
  const { letter, state, keys } = found;
  const what = keys.map(({ entity, key }) => `${entity} ${key}`).join(", ");
  const parts = [isoOf(letter.lastAttemptMs), positionName(letter.origin), letter.reason, what, letter.message];
  const line = parts.filter((part) => part !== "").join("  ");
  return `${styled(terminal, STYLES[state], state.padEnd("unrouted".length))}  ${printable(line)}\n`;
};

/** Everything that is known, the record's content included: it is asked for by its position. */
export const letterAsPage = (found: JudgedLetter, terminal: Terminal): string => {
  const { stored } = found;
  const headers = stored.headers.map(([name, value]) => `    ${name}: ${value?.toString() ?? "null"}`);
  const lines = [`  key: ${textOf(stored.key)}`, "  headers:", ...headers, `  value: ${textOf(stored.value)}`];
  return letterAsLine(found, terminal) + lines.map((line) => `${printable(line)}\n`).join("");
};

export const letterAsJson = ({ stored, letter, state, keys }: JudgedLetter, how: "brief" | "whole"): string => {
  const { origin, headers: _, firstAttemptMs, lastAttemptMs, recordTimestampMs, ...rest } = letter;
  const brief = {
    ...{ state, position: positionName(origin), keys, ...rest },
    firstAttempt: isoOf(firstAttemptMs),
    lastAttempt: isoOf(lastAttemptMs),
    recordTimestamp: isoOf(recordTimestampMs),
  };
  const headers = stored.headers.map(([name, value]) => [name, value?.toString() ?? null]);
  const whole = how === "whole" && { key: contentOf(stored.key), value: contentOf(stored.value), headers };
  return `${JSON.stringify({ ...brief, ...whole })}\n`;
};

const isoOf = (ms: number): string => new Date(ms).toISOString();

/** Text where the bytes are text, else in base64. */
const contentOf = (bytes: ConsumerRecord["key"]): string | { readonly base64: string } | null => {
  if (bytes === null) return null;
  const text = bytes.toString();
  return Buffer.from(text).equals(bytes) ? text : { base64: bytes.toString("base64") };
};

const textOf = (bytes: ConsumerRecord["key"]): string => {
  const content = contentOf(bytes);
  return typeof content === "string" ? content : content === null ? "null" : `base64 ${content.base64}`;
};
