/**
 * Plain requests to a registry: bounded in size and time, no redirects, no proxy of the environment.
 */
import axios from "axios";
import { errorText } from "../domain/errors.ts";
import type { Clock } from "../lib/clock.ts";
import { LATE, NEVER, within } from "../lib/within.ts";
import type { SchemaRegistryConfig } from "./config.ts";
import { Answered, type RegistryAnswer, shortCause } from "./registry-answer.ts";
import type { RegistryConnection } from "./registry-connection.ts";

/** The JSON at an address. Rejects with Answered, or with an Error when nobody is there. */
export type GetJson = (address: string) => Promise<unknown>;

const MAX_ANSWER_BYTES = 8 * 1024 * 1024;

export const createGetJson = (
  config: SchemaRegistryConfig,
  { headers, agent }: RegistryConnection,
  clock: Clock,
): GetJson => {
  const client = axios.create({
    timeout: config.timeoutMs,
    maxRedirects: 0,
    maxContentLength: MAX_ANSWER_BYTES,
    proxy: false,
    httpAgent: agent,
    httpsAgent: agent,
    responseType: "text",
    transformResponse: (body: string) => body,
    validateStatus: () => true,
  });
  return async (address) => {
    // A subject or version that climbs out of the registry's own paths.
    if (new URL(address).href !== address) throw new Error("a schema refers to what is no subject and version");
    const introduced = { ...(await headers()), Accept: "application/json, */*" };
    const ask = (signal: AbortSignal) => client.get<string>(address, { headers: introduced, signal });
    const response = await within(clock, config.timeoutMs, ask, NEVER);
    if (response === LATE) throw new Error(`no whole answer within ${config.timeoutMs} ms`);
    const body = jsonOf(response.data);
    if (response.status === 200 && body !== undefined) return body;
    throw new Answered(withoutJson(response.status, body !== undefined, String(response.headers["content-type"])));
  };
};

/** A registry answers in JSON; a page of HTML is that of some gateway, or of no registry at all. */
const withoutJson = (
  status: number,
  isJson: boolean,
  contentType: string,
): Exclude<RegistryAnswer, { status: "found" }> => {
  // Apicurio sends schemas as they are, and one of Protobuf is text of its own.
  if (status === 200 && contentType.includes("protobuf")) return { status: "other-kind", kind: "PROTOBUF" };
  if (status === 404 && isJson) return { status: "missing" };
  const isAway = status < 400 || status === 404 || status === 429 || status >= 500;
  return { status: isAway ? "unreachable" : "refused", cause: `status ${status}` };
};

export const answerOfFailure = (error: unknown): RegistryAnswer =>
  error instanceof Answered ? error.answer : { status: "unreachable", cause: shortCause(errorText(error)) };

const jsonOf = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};
