/**
 * One replica of the connector as a real process of its own group, so that SIGKILL and SIGSTOP mean what they mean in
 * production. Its log lines are kept as what they are: JSON.
 */
import { spawn } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { systemClock } from "../../src/lib/clock.ts";
import { until } from "./until.ts";

const MAIN = fileURLToPath(new URL("../../src/main.ts", import.meta.url));
/** As the `sell-sink` command has it. */
const NODE_COMPILE_CACHE = fileURLToPath(new URL("../../node_modules/.cache/sell-sink", import.meta.url));
/** Lines kept, the oldest go first. */
const LINES_MAX = 5_000;

export interface LogLine {
  readonly level: string;
  readonly event?: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: string | null;
  /** Since the signal that asked for it, or since the start. */
  readonly tookMs: number;
}

export class Replica implements AsyncDisposable {
  /** As the sandbox's log knows it. */
  readonly name: string;
  readonly adminUrl: string;
  readonly exit: Promise<Exit>;
  readonly #pid: number;
  readonly #lines: LogLine[] = [];
  #since = systemClock.monotonicMs();
  #ended: Exit | null = null;

  private constructor(name: string, configFile: string, adminUrl: string, env: NodeJS.ProcessEnv) {
    this.name = name;
    this.adminUrl = adminUrl;
    const child = spawn(process.execPath, [MAIN, "run", "--config", configFile], {
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
      env: { NODE_COMPILE_CACHE, ...process.env, ...env },
    });
    if (child.pid === undefined) throw new Error(`the replica ${name} could not be started`);
    this.#pid = child.pid;
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on("line", (line) => {
        this.#lines.push(parsed(line));
        if (this.#lines.length > LINES_MAX) this.#lines.shift();
      });
    }
    this.exit = new Promise((resolve) => {
      child.once("close", (code, signal) => {
        this.#ended = { code, signal, tookMs: systemClock.monotonicMs() - this.#since };
        resolve(this.#ended);
      });
    });
  }

  /** Resolves at once; `joined` waits for the group. `config` is the whole configuration, `env` stands beside our own. */
  static async start(
    name: string,
    folder: string,
    config: object,
    adminUrl: string,
    env: NodeJS.ProcessEnv = {},
  ): Promise<Replica> {
    const file = join(folder, `${name}.yaml`);
    await writeFile(file, JSON.stringify(config)); // JSON is YAML too
    return new Replica(name, file, adminUrl, env);
  }

  /** It ended with an error of its own, not by our signal. */
  get exitedBadly(): boolean {
    return this.#ended !== null && this.#ended.signal === null && this.#ended.code !== 0;
  }

  get lines(): readonly LogLine[] {
    return this.#lines;
  }

  /** What its admin port answers. */
  async page(path: string): Promise<string> {
    return (await fetch(`${this.adminUrl}${path}`)).text();
  }

  /** A series of its own metrics, summed over the labels. */
  async metric(series: string): Promise<number> {
    return (await this.page("/metrics"))
      .split("\n")
      .filter((line) => line.startsWith(`${series}{`))
      .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" ") + 1)), 0);
  }

  said(event: string): readonly LogLine[] {
    return this.#lines.filter((line) => line.event === event);
  }

  /** Waits for its first place in the group; throws with its last words if it ends instead. */
  async joined(): Promise<void> {
    await this.until(() => this.said("joined").length > 0, "it joined the group");
  }

  async until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
    await until(async () => {
      if (this.#ended !== null && !(await condition())) throw new Error(`${this.name} has ended.\n${this.tail()}`);
      return condition();
    }, `${this.name}: ${what}\n${this.tail()}`);
  }

  /** SIGKILL, SIGTERM and the like; waits for nothing. */
  kill(signal: NodeJS.Signals): void {
    if (this.#ended !== null) return;
    this.#since = systemClock.monotonicMs();
    process.kill(-this.#pid, signal);
  }

  /** SIGTERM, and what came of it. */
  async stop(): Promise<Exit> {
    this.kill("SIGTERM");
    return this.exit;
  }

  tail(): string {
    return this.#lines
      .slice(-15)
      .map(({ level, event, msg }) => `  ${this.name} ${level} ${event ?? ""} ${msg}`)
      .join("\n");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.kill("SIGKILL");
    await this.exit;
  }
}

const parsed = (line: string): LogLine => {
  try {
    return JSON.parse(line) as LogLine;
  } catch {
    return { level: "text", msg: line };
  }
};

export interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** One command of `sell-sink`, awaited. */
export const runMain = async (args: readonly string[]): Promise<Ended> => {
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  const ended = new Promise<number | null>((resolve) => child.once("close", (code) => resolve(code)));
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { code: await ended, out, err };
};
