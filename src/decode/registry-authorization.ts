/** Who asks a registry: nobody, a user with a password, or the bearer of a token, given or fetched. */
import { readFile } from "node:fs/promises";
import type { Agent } from "node:http";
import type { Clock } from "../lib/clock.ts";
import type { SchemaRegistryConfig } from "./config.ts";
import { createOauthToken } from "./oauth-token.ts";
import { Answered } from "./registry-answer.ts";

export interface Authorization {
  /** To be asked for before each request. Rejects with Answered. */
  headers(): Promise<Readonly<Record<string, string>>>;
  /** The registry did not take them: a fetched token is dropped. */
  refused(): void;
}

export const registryAuthorization = (
  config: SchemaRegistryConfig,
  agentFor: (url: string) => Agent,
  clock: Clock,
): Authorization => {
  const { username, password = "", token, oauth, timeoutMs } = config;
  if (oauth !== undefined) {
    const access = createOauthToken(oauth, { agent: agentFor(oauth.tokenUrl), timeoutMs, clock });
    // The names that Confluent Cloud gives them: which registry, and as which pool of identities.
    const target = {
      ...(oauth.logicalCluster && { "target-sr-cluster": oauth.logicalCluster }),
      ...(oauth.identityPoolId && { "Confluent-Identity-Pool-Id": oauth.identityPoolId }),
    };
    return { headers: async () => ({ ...bearer(await access.token()), ...target }), refused: () => access.refused() };
  }
  const refused = () => {};
  if (token !== undefined) return { headers: async () => bearer(await readToken(token)), refused };
  if (username === undefined) return { headers: async () => ({}), refused };
  const basic = Buffer.from(`${username}:${password}`).toString("base64");
  return { headers: async () => ({ Authorization: `Basic ${basic}` }), refused };
};

const bearer = (token: string) => ({ Authorization: `Bearer ${token}` });

/** A file is read for every request, of which there is one a schema: so a token that was replaced is never missed. */
const readToken = async (source: string): Promise<string> => {
  const path = source.startsWith("file:") ? source.slice("file:".length) : null;
  const text = path === null ? source : await readFile(path, "utf8").catch(codeOf(path));
  const token = text.trim();
  if (/^[\x21-\x7e]+$/.test(token)) return token;
  const name = path === null ? "schemaRegistry.token" : `the token file ${path}`;
  throw new Answered({ status: "refused", cause: `${name} holds no token` });
};

const codeOf =
  (path: string) =>
  (error: unknown): never => {
    const code = error instanceof Error && "code" in error ? String(error.code) : "unreadable";
    throw new Answered({ status: "refused", cause: `the token file ${path} cannot be read: ${code}` });
  };
