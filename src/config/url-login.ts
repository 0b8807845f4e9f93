/** User and password in a URL: where a / or @ of theirs is not encoded, a part of them is taken for path or query, and shown. */

export const isUrl = (text: string): boolean => /^[a-z][a-z0-9+.-]*:\/\//i.test(text);

/** Whether nothing of a user or password can stand anywhere but before the host; also where there is neither. */
export const hasEncodedLogin = (text: string): boolean => {
  const url = URL.parse(text);
  if (url === null) return !text.includes("@");
  const isDecodable = [url.username, url.password].every((part) => decodedPart(part) !== null);
  return !`${url.pathname}${url.search}${url.hash}`.includes("@") && isDecodable;
};

/** A user or password as it was before it was encoded; null where it was not encoded well. */
export const decodedPart = (text: string): string | null => {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
};
