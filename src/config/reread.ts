/** Reads the configuration file again once it has changed on disk, for the settings that a running process can take up. */
import { statSync } from "node:fs";
import { type Loaded, loadConfig } from "./load.ts";

export type Reread = () => Loaded | null;

/** The first call and those after a change load the file; null: nothing changed, or the file is away while it is replaced. */
export const rereadConfig = (path: string, env: Readonly<Record<string, string | undefined>>): Reread => {
  let seen: string | null = null;
  return () => {
    // Kubernetes renames a link to exchange a mounted file: the file behind it is another one then.
    const stat = statSync(path, { throwIfNoEntry: false });
    const now = stat === undefined ? seen : `${stat.ino} ${stat.mtimeMs} ${stat.size}`;
    if (now === seen) return null;
    seen = now;
    return loadConfig(path, env);
  };
};
