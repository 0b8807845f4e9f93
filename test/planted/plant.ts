/**
 * Puts patches into source files as Node loads them: the working tree stays as it is, and every planted bug has modules of its
 * own in one process.
 */
import { type LoadFnOutput, registerHooks } from "node:module";
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

/** A module with `?planted=<id>` in its address is that bug's, and so is all that it imports. */
export const plant = (bugs: readonly Bug[]): void => {
  const patchesOf = new Map(bugs.map(({ id, patches }) => [id, patches]));
  registerHooks({
    resolve(specifier, context, nextResolve) {
      const resolved = nextResolve(specifier, context);
      const id = markOf(context.parentURL);
      if (id === null || !isOurs(resolved.url)) return resolved;
      const url = new URL(resolved.url);
      url.searchParams.set("planted", id);
      return { ...resolved, url: url.href };
    },
    load: (url, context, nextLoad) => withPatches(nextLoad(url, context), url, patchesOf.get(markOf(url) ?? "") ?? []),
  });
};

/** The whole process has this bug. */
export const plantEverywhere = ({ patches }: Pick<Bug, "patches">): void => {
  registerHooks({ load: (url, context, nextLoad) => withPatches(nextLoad(url, context), url, patches) });
};

const isOurs = (url: string): boolean => url.startsWith(ROOT.href) && !url.includes("/node_modules/");

const withPatches = (loaded: LoadFnOutput, url: string, patches: readonly Patch[]): LoadFnOutput => {
  if (!isOurs(url)) return loaded;
  const file = fileURLToPath(url).slice(fileURLToPath(ROOT).length);
  const here = patches.filter((patch) => patch.file === file);
  return here.length === 0 ? loaded : { ...loaded, source: here.reduce(patched, String(loaded.source)) };
};
