/** How a registry is reached: address, credentials, certificates. */
import { readFileSync } from "node:fs";
import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import type { SchemaRegistryConfig } from "./config.ts";

export interface RegistryConnection {
  /** Without credentials, for messages; no slash at its end. */
  readonly url: string;
  readonly auth: { readonly username: string; readonly password: string } | null;
  readonly agent: HttpAgent;
}

const MAX_SOCKETS = 4;

export const registryConnection = (config: SchemaRegistryConfig): RegistryConnection => {
  const bare = new URL(config.url);
  // Credentials may stand in the URL; there they would end in messages.
  const inUrl = bare.username === "" ? null : { username: decoded(bare.username), password: decoded(bare.password) };
  bare.username = "";
  bare.password = "";
  const url = bare.href.replace(/\/$/, "");
  const { username, password = "" } = config;
  return { url, auth: username === undefined ? inUrl : { username, password }, agent: agentFor(url, config) };
};

const decoded = (text: string): string => decodeURIComponent(text);

const agentFor = (url: string, { tls = {} }: SchemaRegistryConfig): HttpAgent => {
  const options = { keepAlive: true, maxSockets: MAX_SOCKETS };
  if (!url.startsWith("https:")) return new HttpAgent(options);
  const read = (file: string | undefined) => (file === undefined ? undefined : readFileSync(file));
  return new HttpsAgent({ ...options, ca: read(tls.caFile), cert: read(tls.certFile), key: read(tls.keyFile) });
};
