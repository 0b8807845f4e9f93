/** A whole list of Sell's, read page by page, one request at a time, and kept as long as the caller thinks it good. */
import type { Clock } from "../lib/clock.ts";
import { type Json, parseJson } from "./call.ts";
import { isRecord } from "./resources.ts";
import type { WireRequest } from "./wire.ts";

/** Of 100: more users than Sell allows, and more stages by far. */
const MAX_PAGES = 60;

export class Listing<T> {
  readonly #path: string;
  readonly #parse: (data: Json) => T | null;
  readonly #clock: Clock;
  #items: readonly T[] | null = null;
  #readAtMs = 0;
  #pages: readonly (readonly T[])[] = [];

  /** `path` may have a query; `parse` gives null for what is no such thing, which is left out. */
  constructor(path: string, parse: (data: Json) => T | null, clock: Clock) {
    this.#path = path;
    this.#parse = parse;
    this.#clock = clock;
  }

  /** Empty before the first reading. */
  get items(): readonly T[] {
    return this.#items ?? [];
  }

  /** Milliseconds since the list was read as a whole; Infinity before. */
  get ageMs(): number {
    return this.#items === null ? Number.POSITIVE_INFINITY : this.#clock.monotonicMs() - this.#readAtMs;
  }

  /** The page to ask for next, and what to do with the reply: false when that cannot be read. */
  next(): { readonly request: WireRequest; take(body: string): boolean } {
    const page = this.#pages.length + 1;
    const request: WireRequest = { method: "GET", path: pagePath(this.#path, page), body: null };
    return { request, take: (body) => this.#take(page, body) };
  }

  #take(page: number, body: string): boolean {
    const found = readPage(body, this.#parse);
    if (found === null) return false;
    if (page !== this.#pages.length + 1) return true; // another request was faster
    this.#pages = [...this.#pages, found.items];
    if (found.isLast || page === MAX_PAGES) {
      this.#items = this.#pages.flat();
      this.#readAtMs = this.#clock.monotonicMs();
      this.#pages = [];
    }
    return true;
  }
}

/** Sell's lists take up to 100 a page; a list without a query of its own is asked for as it is at first. */
export const pagePath = (path: string, page: number): string => {
  const paged = path.endsWith("/custom_fields") ? "" : "per_page=100";
  const query = [paged, page === 1 ? "" : `page=${page}`].filter((part) => part !== "").join("&");
  if (query === "") return path;
  return `${path}${path.includes("?") ? "&" : "?"}${query}`;
};

/** `{"items": [{"data": ..}], "meta": {"links": {"next_page": ..}}}`; the link itself is never followed, only counted on. */
export const readPage = <T>(
  body: string,
  parse: (data: Json) => T | null,
): { readonly items: readonly T[]; readonly isLast: boolean } | null => {
  const json = parseJson(body);
  const given = isRecord(json) ? json["items"] : undefined;
  if (!isRecord(json) || !Array.isArray(given)) return null;
  const items: T[] = [];
  for (const item of given) {
    const data: unknown = isRecord(item) ? item["data"] : undefined;
    const parsed = isRecord(data) ? parse(data) : null;
    if (parsed !== null) items.push(parsed);
  }
  const meta = isRecord(json["meta"]) ? json["meta"] : {};
  const links = isRecord(meta["links"]) ? meta["links"] : {};
  const { next_page: next } = links;
  return { items, isLast: given.length === 0 || next === undefined || next === null };
};
