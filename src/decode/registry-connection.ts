/** How a registry is reached: address, headers that say who asks, certificates. */
import { readFileSync } from "node:fs";
import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import type { Clock } from "../lib/clock.ts";
import type { SchemaRegistryConfig } from "./config.ts";
import { type Authorization, registryAuthorization } from "./registry-authorization.ts";

export interface RegistryConnection extends Authorization {
  /** Without credentials, for messages; no slash at its end. */
  readonly url: string;
  readonly agent: HttpAgent;
}

const MAX_SOCKETS = 4;

export const registryConnection = (config: SchemaRegistryConfig, clock: Clock): RegistryConnection => {
  const bare = new URL(config.url);
  // Credentials may stand in the URL; there they would end in messages.
  const inUrl = bare.username === "" ? {} : { username: decoded(bare.username), password: decoded(bare.password) };
  bare.username = "";
  bare.password = "";
  const url = bare.href.replace(/\/$/, "");
  const { headers, refused } = registryAuthorization({ ...inUrl, ...config }, (url) => agentFor(url, config), clock);
  return {
    url,
    agent: agentFor(url, config),
    headers: async () => ({ ...config.headers, ...(await headers()) }),
    refused,
  };
};

const decoded = (text: string): string => decodeURIComponent(text);

const agentFor = (url: string, { tls = {} }: SchemaRegistryConfig): HttpAgent => {
  const options = { keepAlive: true, maxSockets: MAX_SOCKETS };
  if (!url.startsWith("https:")) return new HttpAgent(options);
  const read = (file: string | undefined) => (file === undefined ? undefined : readFileSync(file));
  return new HttpsAgent({
    ...options,
    minVersion: "TLSv1.2",
    ca: read(tls.caFile),
    cert: read(tls.certFile),
    key: read(tls.keyFile),
  });
};
