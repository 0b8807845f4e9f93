/** One connector as a process of its own, as an operator would run it: `sell-sink run --config FILE`. */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { stringify } from "yaml";
import { ConnectorError } from "../domain/errors.ts";
import type { Clock } from "../lib/clock.ts";
import { tether } from "./services/local-process.ts";

export interface ReplicaOptions {
  readonly name: string;
  /** Where its configuration and its log go. */
  readonly folder: string;
  readonly config: object;
  readonly adminUrl: string;
  readonly env: Readonly<NodeJS.ProcessEnv>;
  readonly clock: Clock;
}

export interface Replica {
  readonly adminUrl: string;
  /** Resolves with what to tell if it ends without having been stopped; else never. */
  readonly death: Promise<ConnectorError>;
  /** Resolves when it has joined the group. */
  ready(signal: AbortSignal): Promise<void>;
  /** SIGTERM; its exit code, null when a signal ended it. Ends it for good after 8 s. */
  stop(): Promise<number | null>;
}

const PROGRAM = fileURLToPath(new URL("../cli/sell-sink.mjs", import.meta.url));
const STOP_WITHIN_MS = 8_000;
const READY_WITHIN_MS = 60_000;
const POLL_MS = 100;
const LAST_LINES = 3;

export const startReplica = ({ name, folder, config, adminUrl, env, clock }: ReplicaOptions): Replica => {
  const configFile = join(folder, `${name}.yaml`);
  const logFile = join(folder, `${name}.log`);
  writeFileSync(configFile, stringify(config), { mode: 0o600 });
  const child = spawnLogged([PROGRAM, "run", "--config", configFile], logFile, env);
  const rope = tether(folder);
  rope.hold(child.pid);
  let isStopping = false;

  const failure = (how: string): ConnectorError => {
    const message = `The connector ${name} ${how}. It said last: ${lastWords(logFile)} All of its log: ${logFile}`;
    return new ConnectorError("DEMO_REPLICA", message, { retriable: false });
  };
  const exit = new Promise<{ readonly code: number | null; readonly how: string }>((resolve) => {
    child.once("error", (error) => resolve({ code: null, how: error.message }));
    child.once("exit", (code, signal) => resolve({ code, how: signal ?? `exit code ${code}` }));
  });
  const death = Promise.withResolvers<ConnectorError>();
  void exit.then(({ how }) => {
    rope.hold(undefined);
    if (!isStopping) death.resolve(failure(`ended by itself (${how})`));
  });

  return {
    adminUrl,
    death: death.promise,
    async ready(signal) {
      const deadline = clock.monotonicMs() + READY_WITHIN_MS;
      while (!(await answers(`${adminUrl}/readyz`, signal))) {
        if (clock.monotonicMs() > deadline) throw failure(`was not ready within ${READY_WITHIN_MS / 1_000} s`);
        await clock.sleep(POLL_MS, signal);
      }
    },
    async stop() {
      isStopping = true;
      child.kill("SIGTERM"); // nothing happens when it has ended
      const patience = new AbortController();
      const late = clock.sleep(STOP_WITHIN_MS, patience.signal).then(
        () => child.kill("SIGKILL"),
        () => {},
      );
      const { code } = await exit;
      patience.abort();
      await late;
      rope.release();
      return code;
    },
  };
};

/** In a process group of its own: Ctrl-C reaches only us, and we decide when it ends. */
const spawnLogged = (args: readonly string[], logFile: string, env: ReplicaOptions["env"]): ChildProcess => {
  const log = openSync(logFile, "a");
  try {
    return spawn(process.execPath, args, { env, detached: true, stdio: ["ignore", log, log] });
  } finally {
    closeSync(log);
  }
};

const answers = async (url: string, signal: AbortSignal): Promise<boolean> => {
  try {
    const response = await fetch(url, { signal });
    await response.body?.cancel();
    return response.ok;
  } catch {
    signal.throwIfAborted();
    return false;
  }
};

/** The sentences of its last log lines; what is not JSON, as an error before the log begins, as it is. */
const lastWords = (file: string): string => {
  const lines = readFileSync(file, "utf8")
    .split("\n")
    .filter((line) => line.trim() !== "");
  return lines.length === 0 ? "nothing" : lines.slice(-LAST_LINES).map(sentenceOf).join(" / ");
};

const sentenceOf = (line: string): string => {
  try {
    const entry: unknown = JSON.parse(line);
    return typeof entry === "object" && entry !== null && "msg" in entry ? String(entry.msg) : line;
  } catch {
    return line;
  }
};
