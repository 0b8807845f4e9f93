/**
 * Access tokens by OAuth 2.0 client credentials (RFC 6749, 4.4). A token is kept for four fifths of its life; then the next
 * request fetches another one, and where that fails goes on with the old one as long as it lives.
 */
import type { Agent } from "node:http";
import axios from "axios";
import { errorText } from "../domain/errors.ts";
import type { Clock } from "../lib/clock.ts";
import type { OauthConfig } from "./config.ts";
import { Answered, shortCause } from "./registry-answer.ts";

export interface OauthToken {
  /** One request at a time, however many ask. Rejects with Answered. */
  token(): Promise<string>;
  /** The last token was not accepted: the next one is a fresh one. */
  refused(): void;
}

interface Token {
  readonly text: string;
  /** Monotonic milliseconds. */
  readonly refreshAtMs: number;
  readonly expiresAtMs: number;
}

const REFRESH_AFTER = 0.8;
/** Of a token whose server does not say; the RFC only recommends that it does. */
const DEFAULT_LIFE_S = 300;
const MAX_LIFE_S = 86_400;
const MAX_ANSWER_BYTES = 256 * 1024;

export const createOauthToken = (
  config: OauthConfig,
  deps: { readonly agent: Agent; readonly timeoutMs: number; readonly clock: Clock },
): OauthToken => {
  const { clock } = deps;
  const fetchToken = tokenFetcher(config, deps);
  let current: Token | null = null;
  let flight: Promise<Token> | null = null;

  const refresh = (): Promise<Token> => {
    flight ??= fetchToken().finally(() => {
      flight = null;
    });
    return flight;
  };

  return {
    async token() {
      const kept = current;
      if (kept !== null && clock.monotonicMs() < kept.refreshAtMs) return kept.text;
      try {
        current = await refresh();
        return current.text;
      } catch (error) {
        if (kept !== null && clock.monotonicMs() < kept.expiresAtMs) return kept.text;
        throw error;
      }
    },
    refused() {
      current = null;
    },
  };
};

const tokenFetcher = (
  { tokenUrl, clientId, clientSecret, scope }: OauthConfig,
  { agent, timeoutMs, clock }: { readonly agent: Agent; readonly timeoutMs: number; readonly clock: Clock },
): (() => Promise<Token>) => {
  const client = axios.create({
    timeout: timeoutMs,
    maxRedirects: 0,
    maxContentLength: MAX_ANSWER_BYTES,
    proxy: false,
    httpAgent: agent,
    httpsAgent: agent,
    // As the RFC wants them: encoded for a form before they are put together.
    auth: { username: encodeURIComponent(clientId), password: encodeURIComponent(clientSecret) },
    headers: { Accept: "application/json" },
    validateStatus: () => true,
  });
  // Without what may be secret in it, for messages.
  const { origin, pathname } = new URL(tokenUrl);
  const address = origin + pathname;
  const form = new URLSearchParams({ grant_type: "client_credentials", ...(scope !== undefined && { scope }) });
  return async () => {
    const askedAtMs = clock.monotonicMs();
    const { status, data } = await client.post<unknown>(tokenUrl, form).catch((error: unknown) => {
      throw new Answered({ status: "unreachable", cause: `${address}: ${shortCause(errorText(error))}` });
    });
    return tokenOf(status, isObject(data) ? data : {}, { address, askedAtMs });
  };
};

const tokenOf = (
  status: number,
  answer: Readonly<Record<string, unknown>>,
  { address, askedAtMs }: { readonly address: string; readonly askedAtMs: number },
): Token => {
  const { access_token: text, expires_in: life, error } = answer;
  if (status === 200 && typeof text === "string" && /^[\x21-\x7e]+$/.test(text)) {
    const lifeS = Math.min(Number(life) > 0 ? Number(life) : DEFAULT_LIFE_S, MAX_LIFE_S);
    return {
      text,
      refreshAtMs: askedAtMs + lifeS * 1_000 * REFRESH_AFTER,
      expiresAtMs: askedAtMs + lifeS * 1_000,
    };
  }
  // The RFC's word for what is wrong, and nothing that might be a secret.
  const word = typeof error === "string" && /^[a-z_]{1,40}$/.test(error) ? ` ${error}` : "";
  const isRefusal = status >= 400 && status < 500 && status !== 404 && status !== 429;
  const cause = `${address} gave no token: status ${status}${word}`;
  throw new Answered({ status: isRefusal ? "refused" : "unreachable", cause });
};

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null;
