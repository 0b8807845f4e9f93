/** The access token: text from the configuration, or a file that is read again when Sell refuses what it held. */
import { readFile } from "node:fs/promises";
import { ConnectorError } from "../domain/errors.ts";
import type { Clock } from "../lib/clock.ts";

export interface Credential {
  /** For sentences: never the token. */
  readonly name: string;
  /** Whether the token comes from a file and may change while we run. */
  readonly isFile: boolean;
  /** The token, read at the first call. Rejects with a ConnectorError `CREDENTIAL_UNREADABLE`. */
  token(): Promise<string>;
  /** Call when `token` was refused: true if there is another one now. Otherwise `changed` waits for one. */
  refused(token: string): Promise<boolean>;
  /** Resolves when there is another token than the last one refused. */
  changed(signal: AbortSignal): Promise<void>;
}

/** A secret mounted by Kubernetes changes by renaming a link, which a file watcher misses and a read does not. */
const POLL_MS = 2_000;

/** `source` is the token itself or `file:/path`. */
export const createCredential = (source: string, clock: Clock): Credential => {
  const path = source.startsWith("file:") ? source.slice("file:".length) : null;
  let current: string | null = null;
  let lastRefused: string | null = null;

  const reload = async (): Promise<string> => {
    current = path === null ? checked(source, "sell.token") : checked(await read(path), path);
    return current;
  };
  // A file may be away for a moment while it is replaced; the old token then stays.
  const tryReload = async (): Promise<string | null> => {
    try {
      return await reload();
    } catch {
      return current;
    }
  };

  return {
    name: path === null ? "sell.token" : `sell.token (file ${path})`,
    isFile: path !== null,
    token: async () => current ?? reload(),
    async refused(token) {
      const isOther = (await tryReload()) !== token;
      if (!isOther) lastRefused = token;
      return isOther;
    },
    async changed(signal) {
      const old = lastRefused ?? current;
      do {
        await clock.sleep(path === null ? Number.POSITIVE_INFINITY : POLL_MS, signal);
      } while ((await tryReload()) === old);
    },
  };
};

const read = async (path: string): Promise<string> => {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "unreadable";
    throw new ConnectorError(
      "CREDENTIAL_UNREADABLE",
      `The token file ${path} of sell.token cannot be read (${code}).`,
      {
        retriable: false,
      },
    );
  }
};

const checked = (text: string, name: string): string => {
  const token = text.trim();
  if (/^[\x21-\x7e]+$/.test(token)) return token;
  throw new ConnectorError(
    "CREDENTIAL_UNREADABLE",
    `${name} holds no token: it must be one line of visible characters.`,
    {
      retriable: false,
    },
  );
};
