/**
 * The connection to Redis, which comes back by itself. Callers treat Redis as something that may be away: a command either
 * answers within 250 ms or rejects.
 */
import { errorText } from "../domain/errors.ts";
import { type RedisClient, redisAddress, redisClient } from "./redis-client.ts";
import type { RedisConfig } from "./redis-config.ts";
import { isReadOnly, noteScriptCall } from "./redis-refusal.ts";

export interface RedisConnection {
  /** Its commands reject at once while Redis is away. */
  readonly client: RedisClient;
  /** Where it connects to, without credentials: fit for a log line. */
  readonly address: string;
  /** Why the connection failed last; null while it is well. */
  lastError(): string | null;
  /** Calls `listener` at each connect, and at once if it is connected. Returns the way to stop listening. */
  onConnect(listener: () => void): () => void;
  close(): void;
}

/** Returns at once and connects in the background; an unreachable Redis is no error. Throws only for unreadable TLS files. */
export const connectRedis = (config: RedisConfig): RedisConnection => {
  // After a fail-over the old primary still answers, but may not write.
  const client: RedisClient = redisClient(config, (error) => {
    noteScriptCall(error, client);
    return isReadOnly(error);
  });
  const listeners = new Set<() => void>();
  let lastError: string | null = "not connected yet";
  let isClosed = false;

  // Without a listener ioredis prints every error on stderr.
  client.on("error", (error) => {
    lastError = causeText(error);
  });
  client.on("close", () => {
    lastError ??= "connection closed";
  });
  // ioredis gives up for good when it hears of a fail-over while it asks the sentinels for the primary.
  client.on("end", () => {
    if (!isClosed) client.connect().catch(() => {}); // what goes wrong is an error event too
  });
  client.on("ready", () => {
    lastError = null;
    for (const listener of listeners) listener();
  });

  return {
    client,
    address: redisAddress(config),
    lastError: () => lastError,
    onConnect(listener) {
      listeners.add(listener);
      if (client.status === "ready") listener();
      return () => listeners.delete(listener);
    },
    close() {
      isClosed = true;
      client.disconnect();
    },
  };
};

/** A cluster only says that none of its nodes would talk; why is in the last node's error. */
const causeText = (error: Error & { readonly lastNodeError?: Error }): string =>
  error.lastNodeError === undefined ? errorText(error) : `${errorText(error)} ${errorText(error.lastNodeError)}`;
