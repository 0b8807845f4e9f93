/** One API request on its way through the dialects: what was asked, and what was written for it. */
import { type Account, keyOf } from "./account.ts";
import type { AppliedItem } from "./applied-log.ts";
import type { Fault } from "./config.ts";
import { errorReply, type Json, type Problem, type Reply } from "./reply.ts";
import { RESOURCES } from "./resources.ts";
import { isObject } from "./value-at.ts";

export interface Call {
  readonly method: string;
  /** Path without query, and its parts. */
  readonly path: string;
  readonly parts: readonly string[];
  readonly query: URLSearchParams;
  /** The parsed body; undefined when there was none. */
  readonly body: Json | undefined;
  readonly account: Account;
  readonly logref: string;
  readonly fault: Fault | null;
  /** Monotonic milliseconds. */
  atMs(): number;
  /** Filled by the dialects. */
  readonly applied: AppliedItem[];
  /** Moves `applied` to the log: after applying, before replying. */
  record(): void;
}

export const refuse = (call: Call, status: number, ...problems: readonly Problem[]): Reply =>
  errorReply(status, problems, call.logref);

/** Any path that nobody knows. */
export const unknownPath = (call: Call): Reply =>
  refuse(call, 404, { code: "incorrect_path", details: `There is nothing at ${call.method} ${call.path}` });

export const json = (body: unknown, status = 200): Reply => ({ status, body });

/** The ERP keys that a request writes or asks for. */
export const keysOf = ({ account, parts, query, body }: Call): readonly string[] => {
  const { keyField } = account.config;
  const [, name, id] = parts;
  const { data, items } = isObject(body) ? body : {};
  const records = Array.isArray(items) ? items.map((item) => (isObject(item) ? item["data"] : null)) : [data];
  const resource = RESOURCES.find((known) => known === name);
  if (resource !== undefined) records.push(account.get(resource, Number(id))?.record);
  const keys = records.map((record) => (isObject(record) ? keyOf(record, keyField) : null));
  return [...keys, query.get(`custom_fields[${keyField}]`)].filter((key) => key !== null);
};
