/** Plain requests to a registry, for what its client library has no call for. */
import axios from "axios";
import { errorText } from "../domain/errors.ts";
import type { SchemaRegistryConfig } from "./config.ts";
import type { RegistryAnswer } from "./registry-client.ts";
import type { RegistryConnection } from "./registry-connection.ts";

/** The JSON at an address. Rejects with Unanswered, or with an Error when nobody is there. */
export type GetJson = (address: string) => Promise<unknown>;

const MAX_ANSWER_BYTES = 8 * 1024 * 1024;

export const createGetJson = (config: SchemaRegistryConfig, { auth, agent }: RegistryConnection): GetJson => {
  const client = axios.create({
    headers: { ...config.headers, Accept: "application/json" },
    timeout: config.timeoutMs,
    maxRedirects: 0,
    maxContentLength: MAX_ANSWER_BYTES,
    proxy: false,
    httpAgent: agent,
    httpsAgent: agent,
    responseType: "text",
    transformResponse: (body: string) => body,
    validateStatus: () => true,
    ...(auth === null ? {} : { auth }),
  });
  return async (address) => {
    const { status, data } = await client.get<string>(address);
    const body = jsonOf(data);
    if (status === 200 && body !== undefined) return body;
    throw new Unanswered(status, body !== undefined);
  };
};

class Unanswered extends Error {
  readonly status: number;
  /** A registry answers in JSON; a page of HTML is that of some gateway, or of no registry at all. */
  readonly isJson: boolean;

  constructor(status: number, isJson: boolean) {
    super(`status ${status}`);
    this.status = status;
    this.isJson = isJson;
  }
}

export const answerOfFailure = (error: unknown): RegistryAnswer => {
  const cause = errorText(error).split("\n", 1)[0]?.slice(0, 200) ?? "";
  if (!(error instanceof Unanswered)) return { status: "unreachable", cause };
  const { status, isJson } = error;
  if (status === 404 && isJson) return { status: "missing" };
  const isAway = status < 400 || status === 404 || status === 429 || status >= 500;
  return { status: isAway ? "unreachable" : "refused", cause };
};

const jsonOf = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};
