/** Asks a running sell-sink, by its admin port, for one of its JSON pages. */
import type { z } from "zod";
import { ConnectorError, errorText } from "../domain/errors.ts";
import type { Clock } from "./clock.ts";
import { LATE, within } from "./within.ts";

/** A page, what its answer looks like, and what it tells, for the sentence when nobody tells it: `its lag`. */
export interface AdminPage<T> {
  readonly path: string;
  readonly schema: z.ZodType<T>;
  readonly tells: string;
}

const ANSWER_MS = 3_000;

/** `adminUrl` as `http://127.0.0.1:8080`. Rejects with ConnectorError `UNREACHABLE` when no replica of sell-sink answers there. */
export const askAdmin = async <T>(
  adminUrl: string,
  { path, schema, tells }: AdminPage<T>,
  clock: Clock,
  signal: AbortSignal,
): Promise<T> => {
  const unreachable = (why: string): ConnectorError =>
    new ConnectorError("UNREACHABLE", `No sell-sink tells ${tells} at ${adminUrl}: ${why}.`, { retriable: true });
  const fetched = async (cut: AbortSignal) => {
    try {
      const reply = await fetch(new URL(path, adminUrl), { signal: cut, redirect: "manual" });
      return { status: reply.status, text: await reply.text() };
    } catch (error) {
      cut.throwIfAborted();
      throw unreachable(errorText(error instanceof Error && error.cause !== undefined ? error.cause : error));
    }
  };
  const answer = await within(clock, ANSWER_MS, fetched, signal);
  if (answer === LATE) throw unreachable(`no answer within ${ANSWER_MS / 1_000} s`);
  if (answer.status === 503) throw unreachable(`it is still starting: ${answer.text.trim()}`);
  const read = answer.status === 200 ? schema.safeParse(jsonOf(answer.text)) : null;
  if (read?.success !== true)
    throw unreachable(`what answers there (HTTP ${answer.status}) is no sell-sink of this version`);
  return read.data;
};

const jsonOf = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};
