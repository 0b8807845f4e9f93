/**
 * Puts patches into source files as Node loads them: the working tree stays as it is, and every planted bug has modules of its
 * own in one process. A module that is imported with `?planted=<id>` hands the mark on to all that it imports.
 */
import { registerHooks } from "node:module";
import { fileURLToPath } from "node:url";
import type { Bug, Patch } from "./bugs.ts";

export const ROOT = new URL("../../", import.meta.url);

/** Throws when the text to find is not there exactly once: the bug must be planted anew where it would be made today. */
export const patched = (source: string, { file, find, put }: Patch): string => {
  const [before, after, ...more] = source.split(find);
  if (before === undefined || after === undefined || more.length > 0)
    throw new Error(`${file} does not have this exactly once any more: ${find}`);
  return before + put + after;
};

const markOf = (url: string | undefined): string | null =>
  url?.startsWith("file:") ? new URL(url).searchParams.get("planted") : null;

export const plant = (bugs: readonly Bug[]): void => {
  const patchesOf = new Map(bugs.map(({ id, patches }) => [id, patches]));
  registerHooks({
    resolve(specifier, context, nextResolve) {
      const resolved = nextResolve(specifier, context);
      const id = markOf(context.parentURL);
      if (id === null || !resolved.url.startsWith(ROOT.href) || resolved.url.includes("/node_modules/"))
        return resolved;
      const url = new URL(resolved.url);
      url.searchParams.set("planted", id);
      return { ...resolved, url: url.href };
    },
    load(url, context, nextLoad) {
      const loaded = nextLoad(url, context);
      const id = markOf(url);
      if (id === null) return loaded;
      const file = fileURLToPath(url).slice(fileURLToPath(ROOT).length);
      const patches = (patchesOf.get(id) ?? []).filter((patch) => patch.file === file);
      if (patches.length === 0) return loaded;
      return { ...loaded, source: patches.reduce(patched, String(loaded.source)) };
    },
  });
};
