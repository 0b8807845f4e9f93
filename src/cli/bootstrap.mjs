/**
 * What a fresh clone lacks: its packages, and a Node that runs TypeScript as it is. Plain JavaScript without imports
 * of its own, so that the machine's Node can run it, however old and before anything is installed.
 */
import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { constants } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const OLDEST_NODE = [24, 12]; // runs TypeScript without a flag and without a warning
const ORPHAN_POLL_MS = 500;

/** Runs `npm ci` unless node_modules holds what the lock file asks for. Returns npm's exit code. */
export const installPackages = async () => {
  if (isInstalled()) return 0;
  process.stdout.write("Installing the packages of package-lock.json (npm ci), about a minute ...\n");
  const args = ["ci", "--no-fund", "--no-audit", "--loglevel=error"];
  const npm = process.env["npm_execpath"]; // set when npm started us
  const [command, ...first] = npm ? [process.execPath, npm] : ["npm"];
  return run(command, [...first, ...args], { cwd: ROOT, shell: !npm && process.platform === "win32" });
};

/** A Node new enough, this process's own or the one among the packages; throws a sentence where there is none. */
export const findNode = () => {
  if (isNewEnough()) return process.execPath;
  const bundled = bundledNode();
  if (bundled) return bundled;
  throw new Error(
    `sell-sink needs Node ${OLDEST_NODE.join(".")} or newer and this is ${process.versions.node}: install a newer one from https://nodejs.org.`,
  );
};

/** Runs a command on our terminal and resolves with its exit code, 128 + number if a signal ended it. */
export const run = (command, args, options = {}) =>
  new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: "inherit", ...options });
    const handlers = ["SIGINT", "SIGTERM", "SIGHUP"].map((signal) => {
      // A terminal sends Ctrl-C to the child as well: a second one from us would mean "now, at once".
      const hasOwn = signal === "SIGINT" && process.stdin.isTTY;
      const handler = () => hasOwn || child.kill(signal);
      process.on(signal, handler);
      return [signal, handler];
    });
    child.on("error", reject);
    child.on("exit", (code, signal) => {
      for (const [name, handler] of handlers) process.off(name, handler);
      resolve(code ?? 128 + constants.signals[signal]);
    });
  });

/**
 * npm hands a SIGTERM to the shell that it runs a script in, and that shell ends without passing it on. So a script
 * that npm started sends it to itself when its parent is gone.
 */
export const endWithNpm = () => {
  const parent = process.ppid;
  if (!process.env["npm_lifecycle_event"] || process.platform === "win32") return;
  // oxlint-disable-next-line no-restricted-globals -- no Clock here: nothing of ours may be imported yet
  const watch = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(watch);
    process.kill(process.pid, "SIGTERM");
  }, ORPHAN_POLL_MS);
  watch.unref();
};

// By content: time stamps change with every checkout.
const isInstalled = () => {
  const installed = packagesOf("node_modules/.package-lock.json");
  return Object.entries(packagesOf("package-lock.json")).every(
    ([path, { version, optional, devOptional }]) =>
      path === "" || optional || devOptional || installed[path]?.version === version,
  );
};

const packagesOf = (lockFile) => {
  const path = join(ROOT, lockFile);
  return existsSync(path) ? JSON.parse(readFileSync(path, "utf8")).packages : {};
};

const isNewEnough = () => {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  return major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1]);
};

/** The Node that came along as an optional dependency, or null where there is none for this platform. */
const bundledNode = () => {
  const platform = process.platform === "win32" ? "win" : process.platform;
  try {
    const manifest = createRequire(import.meta.url).resolve(`node-${platform}-${process.arch}/package.json`);
    const node = join(dirname(manifest), "bin", process.platform === "win32" ? "node.exe" : "node");
    return existsSync(node) ? node : null;
  } catch {
    return null;
  }
};
