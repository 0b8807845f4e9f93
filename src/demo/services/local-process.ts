/**
 * A service as a child process. It is down, or up and perhaps frozen (SIGSTOP): `start` brings it up on the same
 * address and data, `kill` does to it what a disaster would, `stop` ends it for good.
 *
 * The child leads a process group of its own, so Ctrl-C reaches only us and we decide when it ends. However we
 * ourselves end, SIGKILL included, a small shell ends the child too (see `tether`).
 */
import { spawn } from "node:child_process";
import { rm } from "node:fs/promises";
import { get } from "node:http";
import { ConnectorError } from "../../domain/errors.ts";
import { type Context, READY_WITHIN_MS } from "./options.ts";
import { lastWords } from "./run.ts";

export interface Recipe {
  readonly name: string;
  /** Where clients find it: `host:port` or a URL. */
  readonly address: string;
  readonly command: string;
  readonly args: readonly string[];
  /** Its working folder, and ours to remove. */
  readonly folder: string;
  /** Up means: it printed this, or this URL answers 200. */
  readonly ready: { readonly line: string } | { readonly url: string };
}

type Signal = "SIGTERM" | "SIGKILL" | "SIGSTOP" | "SIGCONT";

interface Run {
  readonly pid: number;
  /** How it ended, in words, once it has. */
  readonly ended: Promise<string>;
}

const STOP_WITHIN_MS = 10_000;
const POLL_MS = 50;
const PROBE_MS = 2_000;
const LOG_CHARS_MAX = 16_384;

export class LocalProcess implements AsyncDisposable {
  readonly address: string;
  readonly #recipe: Recipe;
  readonly #clock: Context["clock"];
  readonly #env: Context["env"];
  readonly #tether: Tether;
  #run: Run | undefined;
  #log = "";

  constructor(recipe: Recipe, { clock, env }: Pick<Context, "clock" | "env">) {
    this.address = recipe.address;
    this.#recipe = recipe;
    this.#clock = clock;
    this.#env = env;
    this.#tether = tether(recipe.folder);
  }

  /** Resolves when it answers. Throws SERVICE_NOT_STARTED with its last words, and leaves nothing running. */
  async start(signal?: AbortSignal): Promise<void> {
    if (this.#run) return;
    this.#log = "";
    const run = await this.#spawn();
    let how: string | undefined;
    void run.ended.then((words) => {
      how = words;
      if (this.#run === run) this.#run = undefined;
    });
    this.#run = run;
    try {
      const deadline = this.#clock.monotonicMs() + READY_WITHIN_MS;
      while (!(await this.#isReady())) {
        if (how !== undefined) throw this.#notStarted(`ended at once (${how})`);
        if (this.#clock.monotonicMs() > deadline)
          throw this.#notStarted(`did not answer in ${READY_WITHIN_MS / 1_000} s`);
        await this.#clock.sleep(POLL_MS, signal);
      }
    } catch (error) {
      await this.kill("SIGKILL");
      throw error;
    }
  }

  /** Sends the signal; one that ends the process resolves once it has. */
  async kill(signal: Signal): Promise<void> {
    const run = this.#run;
    if (!run) return;
    sendTo(run.pid, signal);
    if (signal !== "SIGSTOP" && signal !== "SIGCONT") await run.ended;
  }

  /** SIGTERM, after 10 s SIGKILL; then its data goes too. */
  async stop(): Promise<void> {
    const patience = new AbortController();
    const impatient = this.#clock.sleep(STOP_WITHIN_MS, patience.signal).then(
      () => this.kill("SIGKILL"),
      () => {},
    );
    await this.kill("SIGCONT"); // a frozen process would not hear the SIGTERM
    await this.kill("SIGTERM");
    patience.abort();
    await impatient;
    await rm(this.#recipe.folder, { recursive: true, force: true });
    this.#tether.release();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #spawn(): Promise<Run> {
    const { command, args, folder } = this.#recipe;
    const child = spawn(command, args, {
      cwd: folder,
      env: this.#env,
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
    });
    const ended = new Promise<string>((resolve) => {
      child.once("error", (error) => resolve(error.message));
      child.once("close", (code, signal) => resolve(signal ?? `exit code ${code}`));
    });
    if (child.pid === undefined) throw this.#notStarted(`could not be run (${await ended})`);
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        this.#log = (this.#log + text).slice(-LOG_CHARS_MAX);
      });
    }
    this.#tether.hold(child.pid);
    return { pid: child.pid, ended: ended.finally(() => this.#tether.hold(undefined)) };
  }

  async #isReady(): Promise<boolean> {
    const { ready } = this.#recipe;
    return "line" in ready ? this.#log.includes(ready.line) : answers(ready.url);
  }

  #notStarted(what: string): ConnectorError {
    const { name, command } = this.#recipe;
    const text = `${name} ${what}. ${lastWords(this.#log)}\n  (started as ${command})`;
    return new ConnectorError("SERVICE_NOT_STARTED", text, { retriable: false });
  }
}

/** Brings a new process up, after `prepare` has filled its folder, or leaves nothing behind. */
export const launch = async (
  recipe: Recipe,
  context: Omit<Context, "say">,
  prepare: () => Promise<unknown> = async () => {},
): Promise<LocalProcess> => {
  const service = new LocalProcess(recipe, context);
  try {
    await prepare();
    await service.start(context.signal);
  } catch (error) {
    await service.stop();
    throw error;
  }
  return service;
};

export interface Tether {
  /** The child to end, or none. */
  hold(pid: number | undefined): void;
  release(): void;
}

/**
 * Ends the child and removes its folder as soon as this process is gone, for whatever reason: the shell's stdin closes
 * then. An exit handler of our own would miss SIGKILL, and signals that nobody handles.
 */
export const tether = (folder: string): Tether => {
  const script = 'while read -r line; do pid=$line; done; [ -z "$pid" ] || kill -s KILL -- "-$pid"; rm -rf -- "$0"';
  const shell = spawn("sh", ["-c", script, folder], { detached: true, stdio: ["pipe", "ignore", "ignore"] });
  shell.on("error", () => {}); // no shell, no safety net
  shell.stdin.on("error", () => {});
  shell.unref();
  return {
    hold: (pid) => void shell.stdin.write(`${pid ?? ""}\n`),
    release: () => void shell.kill("SIGKILL"),
  };
};

const sendTo = (pid: number, signal: Signal): void => {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    // It ended a moment ago.
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
};

const answers = (url: string): Promise<boolean> =>
  new Promise((resolve) => {
    const request = get(url, { agent: false, timeout: PROBE_MS }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    request.on("timeout", () => request.destroy());
    request.on("error", () => resolve(false));
  });
