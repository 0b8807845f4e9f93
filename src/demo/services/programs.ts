/** The programs that local services need: found, or installed where that needs no question, or named. */
import { access, constants } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { ConnectorError } from "../../domain/errors.ts";
import type { Context } from "./options.ts";
import { postgresBin } from "./postgres-bin.ts";
import { run } from "./run.ts";

type Program = "java" | "mvn" | "postgres" | "redis-server";

const JAVA_VERSION_MIN = 17;

const HOW_TO_GET: Record<Program, { debian: string; mac: string; what: string }> = {
  java: { debian: "default-jre-headless", mac: "openjdk@17", what: `Java ${JAVA_VERSION_MIN} or newer` },
  mvn: { debian: "maven", mac: "maven", what: "Maven" },
  postgres: { debian: "postgresql", mac: "postgresql", what: "a PostgreSQL server" },
  "redis-server": { debian: "redis-server", mac: "redis", what: "redis-server" },
};

let turn: Promise<void> = Promise.resolve();

/**
 * Resolves when all `programs` can be run; root on Debian gets the missing ones by apt-get. Throws PROGRAM_MISSING.
 * Callers take turns: two that miss Java install it once, and never two apt-gets at a time.
 */
export const ensurePrograms = (programs: readonly Program[], context: Context): Promise<void> => {
  turn = turn.catch(() => {}).then(() => ensure(programs, context));
  return turn;
};

const ensure = async (programs: readonly Program[], context: Context): Promise<void> => {
  let missing = await findMissing(programs, context);
  if (missing.length > 0 && (await mayInstall(context))) {
    await aptInstall(missing, context);
    missing = await findMissing(missing, context);
  }
  if (missing.length > 0) throw programMissing(missing);
};

const programMissing = (missing: readonly Program[]): ConnectorError => {
  const list = (key: "what" | "debian" | "mac", glue: string): string =>
    missing.map((program) => HOW_TO_GET[program][key]).join(glue);
  return new ConnectorError(
    "PROGRAM_MISSING",
    `Not found: ${list("what", " and ")}. Install it (Debian: apt-get install ${list("debian", " ")}; ` +
      `macOS: brew install ${list("mac", " ")}), or start Docker, or give the addresses of running services in ` +
      "SELL_SINK_KAFKA, SELL_SINK_REDIS, SELL_SINK_REGISTRY and SELL_SINK_POSTGRES.",
    { retriable: false },
  );
};

const findMissing = async (programs: readonly Program[], context: Context): Promise<Program[]> => {
  const found = await Promise.all(programs.map((program) => isThere(program, context)));
  return programs.filter((_, index) => !found[index]);
};

const isThere = async (program: Program, context: Context): Promise<boolean> => {
  switch (program) {
    case "java":
      return hasJava(context);
    case "postgres":
      return (await postgresBin(context.env)) !== null;
    case "mvn":
    case "redis-server":
      return isOnPath(program, context.env);
  }
};

const hasJava = async ({ env, signal }: Context): Promise<boolean> => {
  const output = await run("java", ["-version"], { env }, signal).catch(() => "");
  signal.throwIfAborted();
  return Number(/version "(\d+)/.exec(output)?.[1] ?? 0) >= JAVA_VERSION_MIN;
};

const isOnPath = async (program: string, env: Context["env"]): Promise<boolean> => {
  for (const folder of (env["PATH"] ?? "").split(delimiter)) {
    const isThere = await access(join(folder, program), constants.X_OK).then(
      () => true,
      () => false,
    );
    if (isThere) return true;
  }
  return false;
};

const mayInstall = async ({ env }: Context): Promise<boolean> =>
  process.getuid?.() === 0 && (await isOnPath("apt-get", env));

const aptInstall = async (programs: readonly Program[], { say, env, signal }: Context): Promise<void> => {
  const packages = programs.map((program) => HOW_TO_GET[program].debian);
  say(`Installing ${packages.join(" and ")} with apt-get ...`);
  const options = { env: { ...env, DEBIAN_FRONTEND: "noninteractive" } };
  const patience = "-oDPkg::Lock::Timeout=300"; // another apt-get on this machine may be at work
  await run("apt-get", [patience, "-qq", "update"], options, signal);
  await run("apt-get", [patience, "-qq", "-y", "--no-install-recommends", "install", ...packages], options, signal);
};
