/** User and password in a URL: where a / or @ of theirs is not encoded, a part of them is taken for path or query, and shown. */

export const isUrl = (text: string): boolean => /^[a-z][a-z0-9+.-]*:\/\//i.test(text);

/** Whether nothing of a user or password can stand anywhere but before the host; also where there is neither. */
export const hasEncodedLogin = (text: string): boolean => {
  const url = URL.parse(text);
  if (url === null) return !text.includes("@");
  return !`${url.pathname}${url.search}${url.hash}`.includes("@") && canDecode(url.username) && canDecode(url.password);
};

const canDecode = (text: string): boolean => {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
};
