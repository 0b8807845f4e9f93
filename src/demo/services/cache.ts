/** Downloads, kept for the next time: `~/.cache/sell-sink`, or the folder in `SELL_SINK_CACHE`. */
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rename, rm, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { ConnectorError } from "../../domain/errors.ts";
import type { Context } from "./options.ts";

const STALE_MS = 60 * 60_000;

/**
 * The cache's folder `name`, filled by `fill` when it is not there yet. It appears whole or not at all, by a rename;
 * of two runs that fill it at once, both work and the first one's stays.
 */
export const cached = async (
  name: string,
  { env, clock }: Pick<Context, "env" | "clock">,
  fill: (folder: string) => Promise<void>,
): Promise<string> => {
  const root = env["SELL_SINK_CACHE"] || join(homedir(), ".cache", "sell-sink");
  const folder = join(root, name);
  if (existsSync(folder)) return folder;

  await mkdir(root, { recursive: true }).catch((cause: unknown) => {
    const text = `The cache folder ${root} cannot be made: name another in SELL_SINK_CACHE.`;
    throw new ConnectorError("CACHE_NOT_WRITABLE", text, { retriable: false, cause });
  });
  await removeStale(root, clock.now() - STALE_MS);
  const filling = await mkdtemp(join(root, `.${name}-`));
  try {
    await fill(filling);
    await rename(filling, folder);
  } catch (error) {
    if (!existsSync(folder)) throw error;
  } finally {
    await rm(filling, { recursive: true, force: true });
  }
  return folder;
};

/** What a run that was killed half way left. */
const removeStale = async (root: string, before: number): Promise<void> => {
  for (const name of await readdir(root)) {
    const path = join(root, name);
    if (name.startsWith(".") && (await stat(path)).mtimeMs < before) await rm(path, { recursive: true, force: true });
  }
};
