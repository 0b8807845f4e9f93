/** Where a PostgreSQL server's programs are. */
import { access, constants, readdir } from "node:fs/promises";
import { delimiter, join } from "node:path";

/** Debian keeps them off the PATH, so that several versions can live together. */
const DEBIAN = "/usr/lib/postgresql";

/** The folder that holds `initdb` and `postgres`, the newest version's; null where there is none. */
export const postgresBin = async (env: Readonly<NodeJS.ProcessEnv>): Promise<string | null> => {
  const versions = await readdir(DEBIAN).catch(() => []);
  const newestFirst = versions.toSorted((a, b) => Number(b) - Number(a)).map((version) => join(DEBIAN, version, "bin"));
  for (const folder of [...(env["PATH"] ?? "").split(delimiter), ...newestFirst]) {
    if (await isProgram(join(folder, "initdb"))) return folder;
  }
  return null;
};

const isProgram = (path: string): Promise<boolean> =>
  access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
