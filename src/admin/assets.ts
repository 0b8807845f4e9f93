/** The files of the status page, read once at the start: a request names one of these paths, never a file. */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";

export interface Asset {
  readonly contentType: string;
  readonly body: Buffer;
}

const HTML = "text/html; charset=utf-8";
const CSS = "text/css; charset=utf-8";
const SCRIPT = "text/javascript; charset=utf-8";

/** The path it is served at, where it lies, and what it is. */
const FILES = [
  ["/", "./page/index.html", HTML],
  ["/page/page.css", "./page/page.css", CSS],
  ["/page/page.mjs", "./page/page.mjs", SCRIPT],
  ["/page/plots.mjs", "./page/plots.mjs", SCRIPT],
  ["/page/tables.mjs", "./page/tables.mjs", SCRIPT],
  ["/page/text.mjs", "./page/text.mjs", SCRIPT],
  ["/page/icon.svg", "./page/icon.svg", "image/svg+xml"],
  ["/page/uplot.js", "uplot/dist/uPlot.iife.min.js", SCRIPT],
  ["/page/uplot.css", "uplot/dist/uPlot.min.css", CSS],
] as const;

/** By path; about 80 kB. Rejects when the package is not whole. */
export const loadAssets = async (): Promise<ReadonlyMap<string, Asset>> => {
  const { resolve } = createRequire(import.meta.url);
  const load = async ([path, file, contentType]: (typeof FILES)[number]): Promise<readonly [string, Asset]> => [
    path,
    { contentType, body: await readFile(resolve(file)) },
  ];
  return new Map(await Promise.all(FILES.map(load)));
};

/** Nothing is loaded from elsewhere and nothing runs that is not one of the files above. */
export const PAGE_HEADERS = {
  "content-security-policy": [
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'",
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  ].join("; "),
  "referrer-policy": "no-referrer",
  "cross-origin-resource-policy": "same-origin",
} as const;
