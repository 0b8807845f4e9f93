/** A connector waits for Redis; whoever asks once wants to hear when it is not there. */
import { ConnectorError } from "../domain/errors.ts";
import type { Clock } from "./clock.ts";
import type { RedisConnection } from "./redis.ts";

const CONNECT_MS = 5_000;

/** Resolves once it is connected. Rejects with a retriable `UNREACHABLE` when it was not within 5 s. */
export const redisAtOnce = async (redis: RedisConnection, clock: Clock, signal: AbortSignal): Promise<void> => {
  const deadline = clock.monotonicMs() + CONNECT_MS;
  while (redis.lastError() !== null && clock.monotonicMs() < deadline) await clock.sleep(20, signal);
  const cause = redis.lastError();
  if (cause === null) return;
  const message = `Redis at ${redis.address} does not answer (${cause}); check redis in the configuration.`;
  throw new ConnectorError("UNREACHABLE", message, { retriable: true });
};
