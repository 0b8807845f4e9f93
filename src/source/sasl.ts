/** Login to Kafka; for OAUTHBEARER with tokens of the client credentials grant (RFC 6749, 4.4). */
import axios from "axios";
import type { SASLOptions } from "kafkajs";
import { ConnectorError, errorText } from "../domain/errors.ts";
import type { Clock } from "../lib/clock.ts";
import type { OauthConfig, SaslConfig } from "./config.ts";

const TOKEN_TIMEOUT_MS = 8_000; // below kafkajs's 10 s for the whole login
const TOKEN_BYTES_MAX = 65_536;

export const saslOptions = (sasl: SaslConfig, clock: Clock): SASLOptions => {
  switch (sasl.mechanism) {
    case "plain":
    case "scram-sha-256":
    case "scram-sha-512":
      return { mechanism: sasl.mechanism, username: sasl.username, password: sasl.password };
    case "oauthbearer":
      return { mechanism: "oauthbearer", oauthBearerProvider: tokenProvider(sasl, clock) };
  }
};

interface BearerToken {
  readonly value: string;
  readonly extensions: Readonly<Record<string, string>>;
}

/**
 * One token for all connections, renewed after four fifths of its life; connections that ask together share one request.
 * A failure is not remembered.
 */
export const tokenProvider = (oauth: OauthConfig, clock: Clock): (() => Promise<BearerToken>) => {
  let latest: Promise<Token> | null = null;
  const renew = (): Promise<Token> => {
    const request = requestToken(oauth, clock);
    latest = request;
    request.catch(() => {
      if (latest === request) latest = null;
    });
    return request;
  };
  return async () => {
    const known = latest ?? renew();
    const { bearer, renewAtMs } = await known;
    if (clock.monotonicMs() < renewAtMs) return bearer;
    return (await (latest === known ? renew() : (latest ?? renew()))).bearer;
  };
};

interface Token {
  readonly bearer: BearerToken;
  /** Monotonic milliseconds. */
  readonly renewAtMs: number;
}

const requestToken = async (oauth: OauthConfig, clock: Clock): Promise<Token> => {
  const askedAtMs = clock.monotonicMs();
  const { data } = await axios
    .post<{ access_token?: unknown; expires_in?: unknown }>(
      oauth.tokenUrl,
      new URLSearchParams({ grant_type: "client_credentials", ...(oauth.scope && { scope: oauth.scope }) }),
      {
        auth: { username: oauth.clientId, password: oauth.clientSecret },
        timeout: TOKEN_TIMEOUT_MS,
        maxRedirects: 0,
        maxContentLength: TOKEN_BYTES_MAX,
        proxy: false,
      },
    )
    .catch((error: unknown) => {
      // Axios's own error carries the client secret: only its message goes on.
      throw tokenError(oauth, errorText(error));
    });
  if (typeof data?.access_token !== "string") throw tokenError(oauth, "the answer has no access_token");
  const lifeS = Number(data.expires_in ?? 300);
  return {
    bearer: { value: data.access_token, extensions: oauth.extensions },
    renewAtMs: askedAtMs + (Number.isFinite(lifeS) ? lifeS * 800 : 240_000),
  };
};

const tokenError = ({ tokenUrl }: OauthConfig, reason: string): ConnectorError => {
  // Without user and query, which may be secret.
  const { origin, pathname } = new URL(tokenUrl);
  const message = `No Kafka token from ${origin}${pathname}: ${reason}; check kafka.sasl.`;
  return new ConnectorError("KAFKA_TOKEN_REFUSED", message, { retriable: true });
};
