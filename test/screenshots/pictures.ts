/**
 * `npm run screenshots`: the README's pictures of the command line, each taken of the real command on real services: the demo;
 * then `plan` before the first run, `lag` while changes of a whole price list go out one a call, and `doctor` afterwards.
 */
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import getPort from "get-port";
import { chromium } from "playwright-core";
import { stringify } from "yaml";
import { connectorConfig } from "../../src/demo/connector-config.ts";
import { Dice, seeded } from "../../src/demo/dice.ts";
import { Erp } from "../../src/demo/erp.ts";
import type { DemoOptions } from "../../src/demo/options.ts";
import { type Replica, startReplica } from "../../src/demo/replica.ts";
import { lagOf, type Stage, setStage } from "../../src/demo/stage.ts";
import { type ErpChange, TABLE_NAMES } from "../../src/demo/tables.ts";
import { systemClock as clock } from "../../src/lib/clock.ts";
import { silentProgress } from "../../src/lib/progress.ts";
import { anyChromium } from "../browser/tools.ts";
import { until } from "../support/until.ts";
import { drawTerminal } from "./draw-terminal.ts";
import { asOfAPerson, typeInTerminal } from "./type-in-terminal.ts";

const ROOT = join(import.meta.dirname, "../..");
const TO = join(ROOT, "deploy/screenshots");
const OPTIONS: DemoOptions = {
  ...{ changes: 3_000, replicas: 1, dialect: "core", format: "avro" },
  ...{ debezium: false, penalty: false, foreign: false },
};
/** Of each table some, so that all partitions wait alike. */
const TRANSACTION = 24;
const TRANSACTION_EVERY_MS = 100;
/** Less than the quota lets out, so that the backlog shrinks. */
const ARRIVAL_EVERY_MS = 2_500;
/** After the first calls, when the rate is that of the quota. */
const UNDER_WAY_MS = 12_000;

const main = async (): Promise<void> => {
  const executablePath = await anyChromium();
  if (executablePath === null) throw new Error("There is no Chromium to draw with.");
  await using stack = new AsyncDisposableStack();
  const browser = await chromium.launch({ executablePath, chromiumSandbox: false });
  stack.defer(() => browser.close());
  // The folder that the commands are typed in.
  const folder = await mkdtemp(join(tmpdir(), "sell-sink-screenshots-"));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const env = { ...asOfAPerson(process.env), PATH: `${await binaries(folder)}:${process.env["PATH"]}` };

  const take = async (name: string, line: string, cwd = folder): Promise<void> => {
    const sent = await typeInTerminal(line, { cwd, env });
    await drawTerminal(browser, `\u001b[1;32m$\u001b[0;1m ${line}\u001b[0m\n${sent}`, join(TO, `${name}.png`));
    process.stdout.write(`deploy/screenshots/${name}.png\n`);
  };
  await take("demo", "npm run demo", ROOT);

  const { signal } = new AbortController();
  const port = await getPort();
  const names = { groupId: "sell-sink", topicPrefix: "erp" };
  const stage = await setStage(OPTIONS, { clock, env, progress: silentProgress, signal }, stack, names);
  const configOf = async (dialect: DemoOptions["dialect"]): Promise<object> => {
    const config = connectorConfig({ ...OPTIONS, dialect }, stage.surroundings, port);
    await writeFile(join(folder, "config.yaml"), stringify(config));
    return config;
  };
  const run = async (dialect: DemoOptions["dialect"]): Promise<Replica> => {
    const adminUrl = `http://127.0.0.1:${port}`;
    const replica = startReplica({ name: dialect, folder, config: await configOf(dialect), adminUrl, env, clock });
    stack.defer(async () => void (await replica.stop()));
    await replica.ready(signal);
    return replica;
  };

  const erp = new Erp(new Dice(seeded(1)));
  await aDayOf(erp, stage);
  await configOf("core");
  await take("plan", "sell-sink plan -c config.yaml");

  const first = await run("bulk");
  await until(async () => (await lagOf(stage)) === 0, "the first day delivered");
  await first.stop();
  const second = await run("core");
  const pricesAreIn = new AbortController();
  const arriving = newPrices(erp, stage, pricesAreIn.signal);
  await clock.sleep(UNDER_WAY_MS, signal);
  await take("lag", "sell-sink lag -c config.yaml --every 20");
  pricesAreIn.abort();
  await arriving;
  await second.stop();
  await take("doctor", "sell-sink doctor -c config.yaml");
};

/** A folder with `sell-sink`, as if it were installed. */
const binaries = async (folder: string): Promise<string> => {
  const program = join(folder, "sell-sink");
  await writeFile(program, `#!/bin/sh\nexec "${process.execPath}" "${ROOT}/src/cli/sell-sink.mjs" "$@"\n`);
  await chmod(program, 0o755);
  return folder;
};

/** What was there before somebody listened is read as a snapshot, which is a backfill; live changes follow. */
const aDayOf = async (erp: Erp, { ledger }: Stage): Promise<void> => {
  const [opening = [], ...later] = erp.work(OPTIONS.changes, 5);
  await ledger.commit(opening.map((change) => ({ ...change, op: "r" as string }) as ErpChange));
  for (const changes of later) await ledger.commit(changes);
};

/** Every row changes once: three quarters within seconds, the others while the connector is at work, until `signal`. */
const newPrices = async (erp: Erp, { ledger }: Stage, signal: AbortSignal): Promise<void> => {
  const longest = Math.max(...TABLE_NAMES.map((table) => erp[table].length));
  const changes = Array.from({ length: longest }, (_, i) =>
    TABLE_NAMES.flatMap((table) => again(erp, table, i)),
  ).flat();
  const early = Math.floor(changes.length * 0.75);
  for (let at = 0; at < early; at += TRANSACTION) {
    await ledger.commit(changes.slice(at, Math.min(at + TRANSACTION, early)));
    await clock.sleep(TRANSACTION_EVERY_MS);
  }
  for (const change of changes.slice(early)) {
    if (signal.aborted) return;
    await ledger.commit([change]);
    await clock.sleep(ARRIVAL_EVERY_MS);
  }
};

const again = (erp: Erp, table: (typeof TABLE_NAMES)[number], i: number): readonly ErpChange[] => {
  const before = erp[table][i];
  if (before === undefined) return [];
  const revision = before.revision + 1;
  return [{ table, op: "u", before, after: { ...before, revision }, revision, alters: true }];
};

await main();
