/**
 * The ioredis client for one server, a primary watched by sentinels, or a cluster. All of them fail fast: a command either
 * answers within 250 ms or rejects, and nothing is queued or sent twice behind the caller's back.
 */
import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import { Cluster, type ClusterOptions, Redis, type RedisOptions } from "ioredis";
import { ConnectorError, errorText } from "../domain/errors.ts";
import type { RedisConfig } from "./redis-config.ts";

export type RedisClient = Redis | Cluster;

/** A frozen Redis would otherwise hang every call for ever. */
const COMMAND_TIMEOUT_MS = 250;
const CONNECT_TIMEOUT_MS = 5_000;
/** Sentinels are asked while nothing is sent anyway; one that is frozen must not keep us from the next. */
const SENTINEL_TIMEOUT_MS = 1_000;
const RECONNECT_MAX_MS = 250;
/** How soon a cluster's fail-over is noticed when no node tells of it. */
const SLOTS_REFRESH_MS = 1_000;

/** Connects in the background. `reconnectOnError` hears every error that a server answers. Throws for unreadable TLS files. */
export const redisClient = (config: RedisConfig, reconnectOnError: (error: Error) => boolean): RedisClient => {
  const { url, sentinels, cluster } = config;
  const options: Options = { ...failFast, ...credentials(config), ...tls(config), reconnectOnError };
  if (cluster !== undefined) return new Cluster(cluster.nodes.map(hostAndPort), clusterOptions(options));
  if (sentinels !== undefined) return new Redis({ ...options, ...retry, ...sentinelOptions(sentinels, options) });
  if (url !== undefined) return new Redis(url, { ...options, ...retry });
  throw new ConnectorError("REDIS_UNNAMED", "redis names no server: set redis.url, redis.sentinels or redis.cluster", {
    retriable: false,
  });
};

/** Where it connects to, without credentials: fit for a log line. */
export const redisAddress = ({ url, sentinels, cluster }: RedisConfig): string => {
  if (cluster !== undefined) return `${cluster.nodes.join(", ")} (cluster)`;
  if (sentinels !== undefined) return `${sentinels.hosts.join(", ")} (sentinels of ${sentinels.name})`;
  const { protocol, host, pathname } = new URL(url ?? "");
  return `${protocol}//${host}${pathname === "/" ? "" : pathname}`;
};

// The constructor's types refuse an explicit `replyMapping: undefined`, which plain RedisOptions allows.
type Options = Omit<RedisOptions, "replyMapping">;

const failFast: Options = {
  commandTimeout: COMMAND_TIMEOUT_MS,
  connectTimeout: CONNECT_TIMEOUT_MS,
  maxRetriesPerRequest: 1,
  autoResendUnfulfilledCommands: false,
  // Questions of the client's own, which a user with few rights may not ask.
  enableReadyCheck: false,
  disableClientInfo: true,
};

const retryStrategy = (times: number): number => Math.min(times * 50, RECONNECT_MAX_MS);
const retry: Options = { retryStrategy, enableOfflineQueue: false };

const credentials = ({ username, password }: RedisConfig): Options => ({ username, password });

const sentinelOptions = (
  { hosts, name, username, password }: NonNullable<RedisConfig["sentinels"]>,
  { tls }: Options,
): Options => ({
  sentinels: hosts.map(hostAndPort),
  name,
  sentinelUsername: username,
  sentinelPassword: password,
  ...(tls === undefined ? {} : { sentinelTLS: tls, enableTLSForSentinelMode: true }),
  sentinelCommandTimeout: SENTINEL_TIMEOUT_MS,
  sentinelRetryStrategy: retryStrategy,
  // An old primary that is cut off from the sentinels, but not from us, would go on granting beside the new one.
  failoverDetector: true,
});

const clusterOptions = (options: Options) =>
  ({
    redisOptions: options,
    enableReadyCheck: false,
    enableOfflineQueue: false,
    clusterRetryStrategy: retryStrategy,
    slotsRefreshInterval: SLOTS_REFRESH_MS,
    // Redirections are followed, since the first node did nothing; a command whose connection broke may have been executed.
    maxRedirections: 3,
    retryDelayOnFailover: 0,
    retryDelayOnClusterDown: 0,
    // Certificates name hosts, not the addresses that they resolve to.
    dnsLookup: (host, callback) => callback(null, host),
  }) satisfies ClusterOptions;

const hostAndPort = (address: string): { readonly host: string; readonly port: number } => {
  const colon = address.lastIndexOf(":");
  return { host: address.slice(0, colon).replace(/^\[|\]$/g, ""), port: Number(address.slice(colon + 1)) };
};

const tls = ({ tls = { enabled: false }, url = "" }: RedisConfig): Options => {
  if (!tls.enabled && !url.startsWith("rediss:")) return {};
  const files = { ...pem("ca", tls.caFile), ...pem("cert", tls.certFile), ...pem("key", tls.keyFile) };
  return { tls: { minVersion: "TLSv1.2", ...files, ...serverName(url) } };
};

/** Many a hosted Redis is chosen by the name in the handshake, which Node does not send by itself. */
const serverName = (url: string): { readonly servername?: string } => {
  const name = URL.parse(url)?.hostname ?? "";
  return name === "" || name.startsWith("[") || isIP(name) ? {} : { servername: name };
};

const pem = (option: "ca" | "cert" | "key", file: string | undefined): { readonly [option: string]: string } => {
  if (file === undefined) return {};
  try {
    return { [option]: readFileSync(file, "utf8") };
  } catch (cause) {
    const message = `redis.tls: the ${option} file ${file} cannot be read (${errorText(cause)}); check the path and its rights`;
    throw new ConnectorError("REDIS_TLS_FILE", message, { cause, retriable: false });
  }
};
