/** Which settings are secret, how they are read from files, and how a configuration is shown without them. */
import { decodedPart } from "./url-login.ts";

const SECRET_NAMES = new Set(["token", "password", "clientSecret"]);
/** Their users' contents are unknown to us, so every value counts as a secret. */
const SECRET_MAPS = new Set(["headers"]);

/** Read again by its stage whenever the file changes, so it stays a reference. */
export const REREAD_SECRETS: ReadonlySet<string> = new Set(["sell.token", "schemaRegistry.token"]);

export const isSecretName = (name: string | number | undefined): boolean =>
  typeof name === "string" && SECRET_NAMES.has(name);

/** `/run/secrets/x` of `file:/run/secrets/x`; null when the text is no such reference. */
export const secretFile = (text: string): string | null => (text.startsWith("file:/") ? text.slice(5) : null);

/** The same structure with `***` for every secret, and for user, password and query of URLs. */
export const masked = (value: unknown, name?: string): unknown => {
  if (Array.isArray(value)) return value.map((item) => masked(item, name));
  if (typeof value === "object" && value !== null) {
    const hideAll = name !== undefined && SECRET_MAPS.has(name);
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, hideAll ? "***" : masked(item, key)]));
  }
  if (typeof value !== "string") return value;
  if (isSecretName(name)) return secretFile(value) === null ? "***" : value;
  // Up to the last @, wherever it stands: a password may hold an @, or a / that somebody forgot to encode.
  return value.replace(/^(\s*[a-z][a-z0-9+.-]*:\/\/).*@/is, "$1***@").replace(/^([a-z]+:\/\/[^?]*\?).*/i, "$1***");
};

/** Reads a secret's file as it is now; throws where there is none. */
type ReadFile = (path: string) => string;

/**
 * Every secret text in a configuration, and every pair of user and password as a request carries it. Shorter ones than 4
 * characters are left out; so is a file that cannot be read, which its stage will tell of.
 */
export const secretValues = (value: unknown, readFile: ReadFile, name?: string): readonly string[] => {
  if (typeof value === "object" && value !== null) {
    const hideAll = name !== undefined && SECRET_MAPS.has(name);
    const inside = Object.entries(value).flatMap(([key, item]) =>
      secretValues(item, readFile, hideAll ? "token" : key),
    );
    return [...inside, ...basicOf(value)];
  }
  if (typeof value !== "string") return [];
  const candidates = isSecretName(name) ? [contentOf(value, readFile)] : inUrl(value);
  return candidates.filter((text) => text.length >= 4); // a shorter one would blank out half of every sentence
};

const contentOf = (value: string, readFile: ReadFile): string => {
  const file = secretFile(value);
  if (file === null) return value;
  try {
    return readFile(file).trim();
  } catch {
    return "";
  }
};

/** Password and query of a URL, and its user and password together; a user without a password is an API key. */
const inUrl = (text: string): readonly string[] => {
  const url = /[@?]/.test(text) ? URL.parse(text) : null;
  if (url === null) return [];
  const username = decodedPart(url.username) ?? url.username;
  const password = decodedPart(url.password) ?? url.password;
  return [password || username, ...url.searchParams.values(), ...basicOf({ username, password })];
};

/** As the header of basic authentication has them: no part of it is the password's own base64. */
const basicOf = ({ username, password, clientId, clientSecret }: Credentials): readonly string[] =>
  [
    [username, password],
    [clientId, clientSecret],
  ].flatMap(([user, secret]) =>
    typeof user === "string" && typeof secret === "string" && secret !== ""
      ? [Buffer.from(`${user}:${secret}`).toString("base64")]
      : [],
  );

interface Credentials {
  readonly username?: unknown;
  readonly password?: unknown;
  readonly clientId?: unknown;
  readonly clientSecret?: unknown;
}
