/** Redis in every form it comes in, as processes of a test: one server, replicas, sentinels, a cluster, each with TLS or without. */
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import getPort from "get-port";
import { Redis } from "ioredis";
import { type LocalProcess, launch } from "../../src/demo/services/local-process.ts";
import { withDefaults } from "../../src/demo/services/options.ts";
import { until } from "./until.ts";

const run = promisify(execFile);

/** PEM files of a CA and of a certificate for localhost and 127.0.0.1, which serves both ends. */
export interface Certificates extends AsyncDisposable {
  readonly caFile: string;
  readonly certFile: string;
  readonly keyFile: string;
}

export const certificates = async (): Promise<Certificates> => {
  const folder = await mkdtemp(join(tmpdir(), "sell-sink-tls-"));
  const file = (name: string): string => join(folder, name);
  const openssl = (...args: readonly string[]): Promise<unknown> => run("openssl", args, { cwd: folder });
  const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
  await openssl("req", "-x509", ...newKey, "-keyout", "ca.key", "-out", "ca.crt", "-subj", "/CN=test CA");
  const names = ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"];
  const signed = ["-CA", "ca.crt", "-CAkey", "ca.key", "-subj", "/CN=redis", ...names];
  await openssl("req", "-x509", ...newKey, "-keyout", "redis.key", "-out", "redis.crt", ...signed);
  return {
    caFile: file("ca.crt"),
    certFile: file("redis.crt"),
    keyFile: file("redis.key"),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
};

export interface ServerOptions {
  readonly tls?: Certificates | undefined;
  /** An ACL user, as the words after `ACL SETUSER`. */
  readonly user?: readonly string[] | undefined;
  /** Settings by Redis's names. */
  readonly settings?: Readonly<Record<string, string>>;
}

export interface Server {
  readonly process: LocalProcess;
  readonly port: number;
  /** One command, as the default user, who may do everything. */
  do(command: string, ...args: readonly (string | number)[]): Promise<unknown>;
}

/** Everything that was started in it is stopped at its end, last first. */
export class RedisFarm implements AsyncDisposable {
  readonly #stack = new AsyncDisposableStack();

  async server(options: ServerOptions = {}): Promise<Server> {
    return this.#launch("Redis", options, ["--save", "", "--appendonly", "no"]);
  }

  /** In sync when it resolves. `of` is where it finds its primary. */
  async replica(of: number, { settings, ...options }: ServerOptions = {}): Promise<Server> {
    const replica = await this.server({ ...options, settings: { replicaof: `127.0.0.1 ${of}`, ...settings } });
    const isInSync = async (): Promise<boolean> =>
      String(await replica.do("INFO", "replication")).includes("master_link_status:up");
    await until(isInSync, "the replica is in sync");
    return replica;
  }

  /** A primary, a replica, and three sentinels that watch them under the name `mymaster`, with no user but the default one. */
  async sentinels(options: ServerOptions = {}) {
    const primary = await this.server(options);
    const replica = await this.replica(primary.port, options);
    const watch = [
      `sentinel monitor mymaster 127.0.0.1 ${primary.port} 2`,
      "sentinel down-after-milliseconds mymaster 600",
      "sentinel failover-timeout mymaster 3000",
    ];
    const start = () => this.#launch("Redis Sentinel", { tls: options.tls }, ["--sentinel"], watch);
    const sentinels = await Promise.all([start(), start(), start()]);
    const seesAll = async ({ do: ask }: Server): Promise<boolean> => {
      const master = String(await ask("SENTINEL", "MASTER", "mymaster"));
      return master.includes("num-other-sentinels,2") && master.includes("num-slaves,1");
    };
    for (const sentinel of sentinels) await until(() => seesAll(sentinel), "the sentinels know each other");
    return { primary, replica, sentinels };
  }

  /** Three primaries with a replica each; all slots are served when it resolves. */
  async cluster({ settings, ...options }: ServerOptions = {}): Promise<readonly Server[]> {
    const more = { "cluster-enabled": "yes", "cluster-node-timeout": "1000", "cluster-replica-validity-factor": "0" };
    const start = () => this.server({ ...options, settings: { ...more, ...settings } });
    const nodes = await Promise.all(Array.from({ length: 6 }, start));
    const addresses = nodes.map(({ port }) => `127.0.0.1:${port}`);
    const create = ["--cluster", "create", ...addresses, "--cluster-replicas", "1", "--cluster-yes"];
    await run("redis-cli", [...cliTls(options), ...create]);
    const isWhole = async ({ do: ask }: Server): Promise<boolean> =>
      String(await ask("CLUSTER", "INFO")).includes("cluster_state:ok") &&
      (String(await ask("CLUSTER", "NODES")).match(/slave [0-9a-f]{40}/g) ?? []).length === 3;
    for (const node of nodes) await until(() => isWhole(node), "the cluster serves all slots");
    return nodes;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }

  async #launch(name: string, options: ServerOptions, args: readonly string[], lines: readonly string[] = []) {
    const port = await getPort();
    const folder = await mkdtemp(join(tmpdir(), "sell-sink-redis-"));
    const conf = join(folder, "redis.conf");
    const text = [...network(port, options), ...lines, ""].join("\n");
    const process = await launch(
      {
        name,
        address: `${options.tls ? "rediss" : "redis"}://127.0.0.1:${port}`,
        command: "redis-server",
        args: [conf, "--dir", folder, ...args],
        folder,
        ready: { line: args.includes("--sentinel") ? "+monitor master" : "Ready to accept connections" },
      },
      withDefaults({}),
      () => writeFile(conf, text),
    );
    this.#stack.use(process);
    return { process, port, do: admin(port, options) } satisfies Server;
  }
}

const network = (port: number, { tls, user, settings = {} }: ServerOptions): readonly string[] => [
  "bind 127.0.0.1",
  "shutdown-timeout 0",
  "repl-diskless-sync-delay 0",
  ...(tls === undefined
    ? [`port ${port}`]
    : [
        "port 0",
        `tls-port ${port}`,
        `tls-ca-cert-file ${tls.caFile}`,
        `tls-cert-file ${tls.certFile}`,
        `tls-key-file ${tls.keyFile}`,
        "tls-replication yes",
        "tls-cluster yes",
      ]),
  ...(user === undefined ? [] : [`user ${user.join(" ")}`]),
  ...Object.entries(settings).map(([name, value]) => `${name} ${value}`),
];

/** A connection for each command: whatever happens to the server, there is none to clean up. */
const admin =
  (port: number, { tls }: ServerOptions): Server["do"] =>
  async (command, ...args) => {
    const files = tls && {
      ca: await readPem(tls.caFile),
      cert: await readPem(tls.certFile),
      key: await readPem(tls.keyFile),
    };
    const client = new Redis({ host: "127.0.0.1", port, ...(files ? { tls: files } : {}), enableReadyCheck: false });
    try {
      return await client.call(command, ...args);
    } finally {
      client.disconnect();
    }
  };

const readPem = (file: string): Promise<string> => readFile(file, "utf8");

const cliTls = ({ tls }: ServerOptions): readonly string[] =>
  tls === undefined ? [] : ["--tls", "--cacert", tls.caFile, "--cert", tls.certFile, "--key", tls.keyFile];
