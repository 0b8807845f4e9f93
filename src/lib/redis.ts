/**
 * One connection to Redis that fails fast and comes back by itself. Callers treat Redis as something that may be away:
 * a command either answers within 250 ms or rejects, and nothing is queued or sent twice behind their backs.
 */
import { readFileSync } from "node:fs";
import { Redis, type RedisOptions } from "ioredis";
import { ConnectorError, errorText } from "../domain/errors.ts";

export interface RedisSettings {
  /** `redis://host:6379/0`, or `rediss://` for TLS. */
  readonly url: string;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly tls?:
    | {
        readonly enabled: boolean;
        readonly caFile?: string | undefined;
        readonly certFile?: string | undefined;
        readonly keyFile?: string | undefined;
      }
    | undefined;
}

export interface RedisConnection {
  /** Its commands reject at once while Redis is away. */
  readonly client: Redis;
  /** Where it connects to, without credentials: fit for a log line. */
  readonly address: string;
  /** Why the connection failed last; null while it is well. */
  lastError(): string | null;
  /**
   * Calls `listener` with the server's run id at each connect, and at once if it is known already. Another id than before
   * means that Redis was restarted or replaced and may have forgotten things. Returns the way to stop listening.
   */
  onIncarnation(listener: (runId: string) => void): () => void;
  close(): void;
}

/** A frozen Redis would otherwise hang every call for ever. */
const COMMAND_TIMEOUT_MS = 250;
const RECONNECT_MAX_MS = 250;

/** Returns at once and connects in the background; an unreachable Redis is no error. Throws only for unreadable TLS files. */
export const connectRedis = (settings: RedisSettings): RedisConnection => {
  const client = new Redis(settings.url, { ...failFast, ...credentials(settings), ...tls(settings) });
  const listeners = new Set<(runId: string) => void>();
  let lastError: string | null = "not connected yet";
  let runId: string | null = null;
  let connects = 0;

  // Without a listener ioredis prints every error on stderr.
  client.on("error", (error) => {
    lastError = errorText(error);
  });
  client.on("close", () => {
    lastError ??= "connection closed";
    runId = null;
  });
  client.on("ready", () => {
    const connect = ++connects;
    lastError = null;
    // A user who may not call INFO gets a new id at each connect: it costs trust in what is remembered, never correctness.
    const asked = client.info("server").then(runIdOf, () => null);
    void asked.then((id) => {
      if (connect !== connects) return;
      runId = id ?? `unknown-${connect}`;
      for (const listener of listeners) listener(runId);
    });
  });

  return {
    client,
    address: addressOf(settings.url),
    lastError: () => lastError,
    onIncarnation(listener) {
      listeners.add(listener);
      if (runId !== null) listener(runId);
      return () => listeners.delete(listener);
    },
    close: () => client.disconnect(),
  };
};

// The constructor's types refuse an explicit `replyMapping: undefined`, which plain RedisOptions allows.
type Options = Omit<RedisOptions, "replyMapping">;

const failFast: Options = {
  commandTimeout: COMMAND_TIMEOUT_MS,
  connectTimeout: 5_000,
  enableOfflineQueue: false,
  // INFO is asked below, where a refusal is no reason for a warning on the console.
  enableReadyCheck: false,
  maxRetriesPerRequest: 1,
  autoResendUnfulfilledCommands: false,
  retryStrategy: (times) => Math.min(times * 50, RECONNECT_MAX_MS),
  // After a failover the old primary still answers, but may not write.
  reconnectOnError: (error) => error.message.startsWith("READONLY"),
};

const credentials = ({ username, password }: RedisSettings): Options => ({ username, password });

const tls = ({ tls }: RedisSettings): Options =>
  tls?.enabled ? { tls: { ...pem("ca", tls.caFile), ...pem("cert", tls.certFile), ...pem("key", tls.keyFile) } } : {};

const pem = (option: "ca" | "cert" | "key", file: string | undefined): { readonly [option: string]: string } => {
  if (file === undefined) return {};
  try {
    return { [option]: readFileSync(file, "utf8") };
  } catch (cause) {
    const message = `redis.tls: the ${option} file ${file} cannot be read (${errorText(cause)}); check the path and its rights`;
    throw new ConnectorError("REDIS_TLS_FILE", message, { cause, retriable: false });
  }
};

const runIdOf = (info: string): string | null => /^run_id:(\w+)/m.exec(info)?.[1] ?? null;

const addressOf = (url: string): string => {
  const { protocol, host, pathname } = new URL(url);
  return `${protocol}//${host}${pathname === "/" ? "" : pathname}`;
};
