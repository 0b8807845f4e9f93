/** Which settings are secret, how they are read from files, and how a configuration is shown without them. */

const SECRET_NAMES = new Set(["token", "password", "clientSecret"]);
/** Their users' contents are unknown to us, so every value counts as a secret. */
const SECRET_MAPS = new Set(["headers"]);

/** Read again by its stage whenever the file changes, so it stays a reference. */
export const REREAD_SECRETS: ReadonlySet<string> = new Set(["sell.token", "schemaRegistry.token"]);

export const isSecretName = (name: string | number | undefined): boolean =>
  typeof name === "string" && SECRET_NAMES.has(name);

/** `/run/secrets/x` of `file:/run/secrets/x`; null when the text is no such reference. */
export const secretFile = (text: string): string | null => (text.startsWith("file:/") ? text.slice(5) : null);

/** The same structure with `***` for every secret, and without user and password in URLs. */
export const masked = (value: unknown, name?: string): unknown => {
  if (Array.isArray(value)) return value.map((item) => masked(item, name));
  if (typeof value === "object" && value !== null) {
    const hideAll = name !== undefined && SECRET_MAPS.has(name);
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, hideAll ? "***" : masked(item, key)]));
  }
  if (typeof value !== "string") return value;
  if (isSecretName(name)) return secretFile(value) === null ? "***" : value;
  return value.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/@]*@/i, "$1***@");
};

/** Every secret text in a configuration; references to files are none. Shorter ones than 4 characters are left out. */
export const secretValues = (value: unknown, name?: string): readonly string[] => {
  if (typeof value === "object" && value !== null) {
    const hideAll = name !== undefined && SECRET_MAPS.has(name);
    return Object.entries(value).flatMap(([key, item]) => secretValues(item, hideAll ? "token" : key));
  }
  if (typeof value !== "string") return [];
  const candidates = isSecretName(name) && secretFile(value) === null ? [value] : [passwordOf(value)];
  return candidates.filter((text) => text.length >= 4); // a shorter one would blank out half of every sentence
};

const passwordOf = (text: string): string => (text.includes("@") ? (URL.parse(text)?.password ?? "") : "");
