/** One Redis, in memory only. */
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import getPort from "get-port";
import { type LocalProcess, launch } from "./local-process.ts";
import { type StartOptions, withDefaults } from "./options.ts";
import { ensurePrograms } from "./programs.ts";

/** A Redis of its own, on a free port, empty after each start. `address` is `redis://127.0.0.1:port`. */
export const startRedis = async (options: StartOptions = {}): Promise<LocalProcess> => {
  const context = withDefaults(options);
  await ensurePrograms(["redis-server"], context);
  const port = await getPort();
  const folder = await mkdtemp(join(tmpdir(), "sell-sink-redis-"));
  const network = ["--port", String(port), "--bind", "127.0.0.1", "--shutdown-timeout", "0"];
  const storage = ["--dir", folder, "--save", "", "--appendonly", "no"];
  return launch(
    {
      name: "Redis",
      address: `redis://127.0.0.1:${port}`,
      command: "redis-server",
      args: [...network, ...storage],
      folder,
      ready: { line: "Ready to accept connections" },
    },
    context,
  );
};
