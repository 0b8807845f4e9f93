/** The sentences for what only a person can put right: a credential, a permission, a setting. */
import type { Entity } from "../domain/mutation.ts";
import type { Halt } from "../domain/receipt.ts";
import type { Credential } from "./credential.ts";

export interface HaltPlace {
  readonly credential: Credential;
  readonly baseUrl: string;
  /** Without the query, which holds a key. */
  readonly path: string;
  /** What was to be read or written: an entity, or `accounts/self` at the start. */
  readonly subject: Entity | "accounts/self";
}

export const haltOf = (kind: Halt["kind"], status: number, place: HaltPlace): Halt => ({
  kind,
  message: sentence(kind, status, place),
});

const sentence = (kind: Halt["kind"], status: number, { credential, baseUrl, path, subject }: HaltPlace): string => {
  switch (kind) {
    case "auth":
      return `Sell refused the access token of ${credential.name} (HTTP ${status}): ${nextToken(credential)}.`;
    case "rights":
      return (
        `Sell does not let the user of ${credential.name} use ${subject} (HTTP ${status}): give that user the right, ` +
        `check that the Sell plan has it, or ${nextToken(credential)}.`
      );
    case "blocked":
      return (
        `A firewall or gateway between here and Sell lets no request about ${subject} pass, whatever record it is ` +
        `(${baseUrl}${path} is answered with a page, HTTP ${status}): ask whoever runs it to let this client through. ` +
        "The records wait, and one request a minute tries."
      );
    case "configuration":
      return `${baseUrl} refused ${path} (HTTP ${status}): ${CAUSES[status] ?? "check sell.baseUrl and sell.headers"}.`;
  }
};

const nextToken = ({ isFile, name }: Credential): string =>
  isFile
    ? "write a valid token into the file, it is read again by itself"
    : `put a valid token into ${name} and restart`;

const CAUSES: Readonly<Record<number, string>> = {
  301: "it redirects, and redirects are never followed; put the final address into sell.baseUrl",
  308: "it redirects, and redirects are never followed; put the final address into sell.baseUrl",
  404: "there is no such path; check sell.baseUrl and sell.dialect",
  405: "there is no such operation; check sell.baseUrl and sell.dialect",
  407: "the proxy wants other credentials; check sell.proxy",
  410: "it is gone for good; Zendesk retires Sell on 2027-08-31",
};
