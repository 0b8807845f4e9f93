/**
 * Schemas that the registry's client has no call for: Confluent's by GUID, and Apicurio's, whose 64-bit ids its
 * Confluent-compatible API does not know.
 */
import axios from "axios";
import { errorText } from "../domain/errors.ts";
import type { SchemaRegistryConfig } from "./config.ts";
import type { RegistryAnswer } from "./registry-client.ts";
import type { RegistryConnection } from "./registry-connection.ts";
import type { SchemaId } from "./schema-id.ts";

export type TextualId = Exclude<SchemaId, number>;

const MAX_ANSWER_BYTES = 8 * 1024 * 1024;
/** Schemas that one schema may refer to, directly and through others. */
const MAX_REFERENCES = 100;

/** One request an id at a time, however many ask. Never rejects. */
export const createTextualSchemas = (config: SchemaRegistryConfig, { url, auth, agent }: RegistryConnection) => {
  const client = axios.create({
    allowAbsoluteUrls: true,
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
  /** Bounded by the records that wait. */
  const flights = new Map<TextualId, Promise<RegistryAnswer>>();

  const get = async (address: string): Promise<unknown> => {
    const { status, data } = await client.get<string>(address);
    const body = jsonOf(data);
    if (status === 200 && body !== undefined) return body;
    throw new Unanswered(status, body !== undefined);
  };

  /** The schemas that a registered one refers to, each before those that refer to it. */
  const referredTo = async (registered: Registered, seen: Set<string>): Promise<readonly unknown[]> => {
    const schemas: unknown[] = [];
    for (const { subject, version } of registered.references ?? []) {
      const address = `${url}/subjects/${encodeURIComponent(subject)}/versions/${version}`;
      if (seen.has(address)) continue;
      if (seen.add(address).size > MAX_REFERENCES) throw new Error("the schema refers to too many others");
      schemas.push(...(await withReferences((await get(address)) as Registered, seen)));
    }
    return schemas;
  };
  const withReferences = async (registered: Registered, seen: Set<string>): Promise<readonly unknown[]> => [
    ...(await referredTo(registered, seen)),
    JSON.parse(registered.schema),
  ];

  const ask = async (id: TextualId): Promise<RegistryAnswer> => {
    try {
      const answer = await get(addressOf(id, url, config));
      if (!id.startsWith("guid:")) return { status: "found", schemas: [answer] };
      const registered = answer as Registered;
      const isAvro = (registered.schemaType ?? "AVRO") === "AVRO";
      return { status: "found", schemas: isAvro ? await withReferences(registered, new Set()) : [] };
    } catch (error) {
      return failureOf(error);
    }
  };

  return (id: TextualId): Promise<RegistryAnswer> => {
    const flight = flights.get(id) ?? ask(id).finally(() => flights.delete(id));
    flights.set(id, flight);
    return flight;
  };
};

/** As Confluent's API has it; `schema` is JSON as text. */
interface Registered {
  readonly schema: string;
  readonly schemaType?: string;
  readonly references?: readonly { readonly subject: string; readonly version: number }[];
}

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

/** Apicurio serves its own API beside the Confluent-compatible one; `schemaRegistry.url` may name either. */
const addressOf = (id: TextualId, url: string, { apicurioIds }: SchemaRegistryConfig): string => {
  const [kind, name] = id.split(":", 2);
  if (kind === "guid") return `${url}/schemas/guids/${name}`;
  const own = url.replace(/\/ccompat\/v\d+$/, "/registry/v2");
  // The second and the third version of that API spell the wish for a self-contained schema differently.
  return `${own}/ids/${kind === "apicurioId" ? apicurioIds : kind}s/${name}?dereference=true&references=DEREFERENCE`;
};

const failureOf = (error: unknown): RegistryAnswer => {
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
