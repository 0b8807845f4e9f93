/** One PostgreSQL whose log can be decoded, as Debezium needs it; trusted access for everybody on this machine. */
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import getPort from "get-port";
import { type LocalProcess, launch } from "./local-process.ts";
import { type Context, type StartOptions, withDefaults } from "./options.ts";
import { postgresBin } from "./postgres-bin.ts";
import { ensurePrograms } from "./programs.ts";
import { run } from "./run.ts";

/** Of the image; a local server may be any version from 10 on. */
export const POSTGRES_VERSION = "15";
export const POSTGRES_READY_LINE = "database system is ready to accept connections";

/** Slots and senders for a few connectors; its data is thrown away, so that nothing need reach the disk. */
export const POSTGRES_SETTINGS = [
  ...["wal_level=logical", "max_replication_slots=8", "max_wal_senders=8"],
  ...["fsync=off", "synchronous_commit=off", "shared_buffers=32MB"],
];

/** A server of its own, on a free port, with an empty database `postgres`. `address` is `postgres://postgres@127.0.0.1:port/postgres`. */
export const startPostgres = async (options: StartOptions = {}): Promise<LocalProcess> => {
  const context = withDefaults(options);
  await ensurePrograms(["postgres"], context);
  const bin = (await postgresBin(context.env)) ?? "";
  const port = await getPort();
  const folder = await mkdtemp(join(tmpdir(), "sell-sink-postgres-"));
  const data = join(folder, "data");
  const [command, ...before] = [...unprivileged(), join(bin, "postgres")];
  const local = ["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="];
  return launch(
    {
      name: "PostgreSQL",
      address: `postgres://postgres@127.0.0.1:${port}/postgres`,
      command: command ?? "",
      args: [...before, "-D", data, "-p", String(port), ...local, ...POSTGRES_SETTINGS.flatMap((it) => ["-c", it])],
      folder,
      ready: { line: POSTGRES_READY_LINE },
    },
    context,
    () => initialize(bin, folder, data, context),
  );
};

const initialize = async (
  bin: string,
  folder: string,
  data: string,
  { env, signal }: Pick<Context, "env" | "signal">,
): Promise<void> => {
  const options = { cwd: folder, env };
  if (isRoot()) await run("chown", [USER, folder], options, signal);
  const settings = ["-A", "trust", "-U", "postgres", "--no-sync", "-E", "UTF8", "--locale=C.UTF-8"];
  const [command, ...before] = [...unprivileged(), join(bin, "initdb")];
  await run(command ?? "", [...before, "-D", data, ...settings], options, signal);
};

/** PostgreSQL refuses to run as root; Debian's package brings this user along. */
const USER = "postgres";
const isRoot = (): boolean => process.getuid?.() === 0;
const unprivileged = (): readonly string[] =>
  isRoot() ? ["setpriv", `--reuid=${USER}`, `--regid=${USER}`, "--clear-groups"] : [];
