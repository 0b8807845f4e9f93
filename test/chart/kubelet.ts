/**
 * A kubelet for one pod, as far as it matters to the process inside: it mounts what the manifest mounts, sets what it sets,
 * runs the image's entrypoint as PID 1 of its own namespace with the manifest's user, read-only root, capabilities and memory
 * limit, asks the probes, and ends it by SIGTERM and, after the grace period, SIGKILL. The network is the machine's.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { cp, mkdir, mkdtemp, readFile, rename, rm, rmdir, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { inject } from "vitest";
import { systemClock } from "../../src/lib/clock.ts";
import { execForm, instructions } from "./dockerfile.ts";
import type { Manifest } from "./render.ts";

export interface Surroundings {
  /** Folder that holds the image's `/app`. */
  readonly app: string;
  /** Everything that was rendered. */
  readonly documents: readonly Manifest[];
  /** By name, then by key. */
  readonly secrets: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

const CGROUPS = "/sys/fs/cgroup/memory";

/** The kernel will keep to a limit (cgroup v1, and ours to use). Without it Node is told the limit in its own words. */
const canLimitMemory = (): boolean => existsSync(join(CGROUPS, "memory.limit_in_bytes")) && process.getuid?.() === 0;

export class Pod implements AsyncDisposable {
  /** Exit code, or the signal that ended it. */
  readonly exit: Promise<number | string>;
  readonly #spec: Manifest;
  readonly #folder: string;
  readonly #cgroup: string | null;
  readonly #child: ChildProcess;
  readonly #lines: string[] = [];
  #pid: number | null = null;
  #hasEnded = false;

  private constructor(spec: Manifest, folder: string, cgroup: string | null, child: ChildProcess) {
    this.#spec = spec;
    this.#folder = folder;
    this.#cgroup = cgroup;
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => this.#lines.push(text));
    }
    let info = "";
    (child.stdio[3] as NodeJS.ReadableStream).on("data", (text: Buffer) => {
      info += text.toString();
      this.#pid = Number(/"child-pid": (\d+)/.exec(info)?.[1] ?? 0) || null;
    });
    this.exit = new Promise((resolve) =>
      child.once("close", (code, signal) => {
        this.#hasEnded = true;
        resolve(code ?? signal ?? "unknown");
      }),
    );
  }

  /** `command` in the place of the entrypoint and the manifest's arguments. */
  static async run(spec: Manifest, surroundings: Surroundings, command?: readonly string[]): Promise<Pod> {
    const [container] = spec.containers;
    const folder = await mkdtemp(join(tmpdir(), "sell-sink-pod-"));
    const mounts = await mount(spec, folder, surroundings);
    const limit = container.resources?.limits?.memory;
    const cgroup = limit === undefined || !canLimitMemory() ? null : join(CGROUPS, basename(folder));
    if (cgroup !== null) {
      await mkdir(cgroup);
      await writeFile(join(cgroup, "memory.limit_in_bytes"), String(bytesOf(limit)));
    }
    const run = command ?? [...execForm("ENTRYPOINT"), ...(container.args ?? execForm("CMD"))];
    const args = [
      ...sandboxOf(spec, surroundings.app),
      ...mounts,
      "--remount-ro",
      "/",
      ...envOf(container, surroundings),
    ];
    const enter = cgroup === null ? "" : `echo $$ > ${cgroup}/cgroup.procs; `;
    const child = spawn("sh", ["-c", `${enter}exec "$0" "$@"`, inject("bwrap") ?? "bwrap", ...args, "--", ...run], {
      stdio: ["ignore", "pipe", "pipe", "pipe"],
    });
    return new Pod(spec, folder, cgroup, child);
  }

  /** Throws its last words when it has ended. */
  assertRuns(): void {
    if (this.#hasEnded) throw new Error(`the pod has ended:\n${this.log}`);
  }

  get log(): string {
    return this.#lines.join("");
  }

  /** Status code of a probe, null when nobody answers within its time. */
  async probe(name: "startupProbe" | "readinessProbe" | "livenessProbe"): Promise<number | null> {
    const { httpGet, timeoutSeconds } = this.#spec.containers[0][name];
    const signal = AbortSignal.timeout(timeoutSeconds * 1_000);
    return fetch(`${this.#admin(httpGet.port)}${httpGet.path}`, { signal }).then(
      ({ status }) => status,
      () => null,
    );
  }

  /** Rejects when the admin port has nothing there. */
  async read(path: string): Promise<string> {
    const reply = await fetch(`${this.#admin("admin")}${path}`);
    if (!reply.ok) throw new Error(`${path} is HTTP ${reply.status}`);
    return reply.text();
  }

  /** What became of a Secret's key, as the kubelet does it: a new folder, and one rename. */
  async rotate(key: string, value: string): Promise<void> {
    const volume = join(this.#folder, "secrets");
    await cp(join(volume, "..data"), join(volume, "..next"), { recursive: true, dereference: true });
    await writeFile(join(volume, "..next", key), value);
    await symlink("..next", join(volume, "..data_tmp"));
    await rename(join(volume, "..data_tmp"), join(volume, "..data"));
  }

  /** SIGTERM, and SIGKILL after the grace period. Resolves with what `exit` does. */
  async terminate(): Promise<number | string> {
    this.assertRuns();
    if (this.#pid === null) throw new Error("the pod has not begun to run");
    process.kill(this.#pid, "SIGTERM");
    const patience = new AbortController();
    const graceMs = this.#spec.terminationGracePeriodSeconds * 1_000;
    const kill = systemClock.sleep(graceMs, patience.signal).then(
      () => this.#child.kill("SIGKILL"),
      () => {},
    );
    const ended = await this.exit;
    patience.abort();
    await kill;
    return ended;
  }

  /** Memory of its own, without the pages of its files; only while it runs. */
  residentBytes(): Promise<number> {
    return this.#memory("VmRSS");
  }

  /** The most that it had at once. */
  peakBytes(): Promise<number> {
    return this.#memory("VmHWM");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL"); // bubblewrap takes its child along
    await this.exit;
    await rm(this.#folder, { recursive: true, force: true });
    // The kernel lets go of a group's last process a moment later.
    for (let tries = 0; this.#cgroup !== null && tries < 50; tries++) {
      const isGone = await rmdir(this.#cgroup).then(
        () => true,
        () => false,
      );
      if (isGone) break;
      await systemClock.sleep(20);
    }
  }

  async #memory(total: "VmRSS" | "VmHWM"): Promise<number> {
    const status = await readFile(`/proc/${this.#pid}/status`, "utf8");
    const kB = (name: string): number => Number(new RegExp(`${name}:\\s*(\\d+) kB`).exec(status)?.[1]);
    return 1_024 * (kB(total) - kB("RssFile"));
  }

  #admin(port: string): string {
    const found = this.#spec.containers[0].ports.find(({ name }: Manifest) => name === port);
    return `http://127.0.0.1:${found.containerPort}`;
  }
}

/** Namespaces, user, capabilities, and of the machine's files only what Node itself needs. */
const sandboxOf = (spec: Manifest, app: string): readonly string[] => {
  const [{ securityContext }] = spec.containers;
  const { runAsUser, runAsGroup } = { ...spec.securityContext, ...securityContext };
  if (!securityContext.readOnlyRootFilesystem) throw new Error("only a read-only root is implemented here");
  const libraries = ["/usr", "/lib", "/lib64"].filter(existsSync).flatMap((path) => ["--ro-bind", path, path]);
  return [
    ...[
      "--info-fd",
      "3",
      "--unshare-user",
      "--unshare-pid",
      "--unshare-ipc",
      "--as-pid-1",
      "--die-with-parent",
      "--new-session",
    ],
    ...["--uid", String(runAsUser), "--gid", String(runAsGroup)],
    ...securityContext.capabilities.drop.flatMap((name: string) => ["--cap-drop", name]),
    ...libraries,
    ...["--proc", "/proc", "--dev", "/dev", "--ro-bind", "/sys/fs/cgroup", "/sys/fs/cgroup"],
    ...["--ro-bind", process.execPath, "/nodejs/bin/node", "--ro-bind", app, "/app"],
    ...["--chdir", instructions("WORKDIR").at(-1) ?? "/"],
  ];
};

const envOf = (container: Manifest, { secrets }: Surroundings): readonly string[] => {
  const ofImage = (instructions("ENV").at(-1) ?? "").split(/\s+/).map((pair) => pair.split("=") as [string, string]);
  const limit = container.resources?.limits?.memory;
  const inMiB = (_: string, share: string): string =>
    `--max-old-space-size=${Math.floor((bytesOf(limit) * Number(share)) / 100 / 2 ** 20)}`;
  const ofManifest = (container.env ?? []).map(({ name, value, valueFrom }: Manifest) => {
    if (valueFrom !== undefined) return [name, secrets[valueFrom.secretKeyRef.name]?.[valueFrom.secretKeyRef.key]];
    const isLimited = limit === undefined || canLimitMemory();
    return [name, isLimited ? value : value.replace(/--max-old-space-size-percentage=(\d+)/, inMiB)];
  });
  return ["--clearenv", ...[...ofImage, ...ofManifest].flatMap(([name, value]) => ["--setenv", name, value])];
};

/** Makes each volume and gives bubblewrap's words to mount it. */
const mount = async (spec: Manifest, folder: string, surroundings: Surroundings): Promise<readonly string[]> => {
  const words: string[] = [];
  for (const { name, mountPath } of spec.containers[0].volumeMounts) {
    const volume = spec.volumes.find((candidate: Manifest) => candidate.name === name);
    if (volume.emptyDir !== undefined) {
      words.push("--size", String(bytesOf(volume.emptyDir.sizeLimit)), "--tmpfs", mountPath);
      continue;
    }
    await fillVolume(join(folder, name), contentsOf(volume, surroundings));
    words.push("--ro-bind", join(folder, name), mountPath);
  }
  return words;
};

/** As the kubelet lays files out: names that lead through `..data`, so that all of them change at once. */
const fillVolume = async (path: string, files: Readonly<Record<string, string>>): Promise<void> => {
  await mkdir(join(path, "..first"), { recursive: true });
  await symlink("..first", join(path, "..data"));
  for (const [name, content] of Object.entries(files)) {
    await writeFile(join(path, "..first", name), content);
    await symlink(join("..data", name), join(path, name));
  }
};

const contentsOf = (volume: Manifest, { documents, secrets }: Surroundings): Readonly<Record<string, string>> => {
  if (volume.configMap !== undefined) {
    return documents.find(({ kind, metadata }) => kind === "ConfigMap" && metadata.name === volume.configMap.name)
      ?.data;
  }
  const files = volume.projected.sources.flatMap(({ secret }: Manifest) =>
    secret.items.map(({ key, path }: Manifest) => [path, secrets[secret.name]?.[key]]),
  );
  return Object.fromEntries(files);
};

const UNITS: Readonly<Record<string, number>> = { "": 1, Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30 };

const bytesOf = (quantity: string | number): number => {
  const [, amount = "", unit = ""] = /^(\d+)(|Ki|Mi|Gi)$/.exec(String(quantity)) ?? [];
  const factor = UNITS[unit];
  if (amount === "" || factor === undefined) throw new Error(`${quantity} is no amount of memory that is known here`);
  return Number(amount) * factor;
};
