/** The demo from its first service to its verdict. Whoever calls it owns what it starts. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import getPort from "get-port";
import { isConnectorError } from "../domain/errors.ts";
import { connectorConfig, type Surroundings } from "./connector-config.ts";
import { spendDay } from "./day.ts";
import { readDeadLetters } from "./dead-letters.ts";
import { Dice, seeded } from "./dice.ts";
import { Erp } from "./erp.ts";
import { compare } from "./expected.ts";
import { POISON } from "./ledger.ts";
import { measurePenalty, measureTraffic } from "./measure.ts";
import { type DemoOptions, QUOTA } from "./options.ts";
import { type Replica, startReplica } from "./replica.ts";
import { connect, type DemoDeps, lagOf, type Stage, setStage } from "./stage.ts";
import type { Result } from "./verdict.ts";

/** What a run leaves running until it is disposed. */
export interface Demo extends AsyncDisposable {
  readonly result: Result;
  readonly surroundings: Surroundings;
  readonly replicas: readonly Replica[];
  /** Configurations and logs of the replicas; `keepFolder` leaves them there for whoever has to find a fault. */
  readonly folder: string;
  keepFolder(): void;
}

/** `keep`: the replicas go on running after the result. Rejects with a ConnectorError, or the reason of `signal`. */
export const runDemo = async (options: DemoOptions, keep: boolean, given: DemoDeps): Promise<Demo> => {
  const startMs = given.clock.monotonicMs();
  const died = new AbortController();
  const deps = { ...given, signal: AbortSignal.any([given.signal, died.signal]) };
  const { progress } = deps;
  await using stack = new AsyncDisposableStack();

  const stage = await setStage(options, deps, stack);
  const folder = await mkdtemp(join(tmpdir(), "sell-sink-demo-"));
  let keepsFolder = false;
  stack.defer(() => (keepsFolder ? undefined : rm(folder, { recursive: true, force: true })));
  const replicas: Replica[] = [];
  const stopAll = () => Promise.all(replicas.map(({ stop }) => stop())); // at once: each may take its time to drain
  stack.defer(async () => void (await stopAll()));
  try {
    await progress.step(replicasTitle(options), async () => {
      for (let i = 1; i <= options.replicas; i++) replicas.push(await launch(i, folder, options, stage, deps));
      for (const { death } of replicas) void death.then((error) => died.abort(error));
      await Promise.all(replicas.map(({ ready }) => ready(deps.signal)));
    });
    const erp = new Erp(new Dice(seeded(SEED)));
    const lag = async (): Promise<number> => {
      await stage.journal.check(deps.signal);
      return lagOf(stage);
    };
    const day = { ...stage, erp, lag, clock: deps.clock, folder };
    await progress.step("Delivery", (step) => spendDay(options, day, step, deps.signal));
    const exitCodes = keep ? [] : await progress.step("Stop", stopAll);
    const found = await progress.step("Comparison", () => readBack(options, stage, erp, deps, stack));
    const result = { ...found, exitCodes, tookMs: Math.round(deps.clock.monotonicMs() - startMs) };
    const running = stack.move();
    return {
      ...{ result, surroundings: stage.surroundings, replicas, folder },
      keepFolder() {
        keepsFolder = true;
      },
      [Symbol.asyncDispose]: () => running.disposeAsync(),
    };
  } catch (error) {
    keepsFolder = isConnectorError(error) && LOGS_TELL_MORE.has(error.code);
    throw error;
  }
};

const readBack = async (
  options: DemoOptions,
  stage: Stage,
  erp: Erp,
  deps: DemoDeps,
  stack: AsyncDisposableStack,
): Promise<Omit<Result, "exitCodes" | "tookMs">> => {
  const { surroundings, sandbox, journal, ledger } = stage;
  const reader = await connect(surroundings.kafka, `${surroundings.groupId}-reader`, deps, stack);
  const deadLetters = await readDeadLetters(reader, surroundings.deadLetterTopic, deps.signal);
  const log = sandbox.log();
  return {
    options,
    quota: QUOTA,
    traffic: measureTraffic(ledger.committed, log, sandbox.summary(QUOTA.perMs), options.dialect),
    penalty: measurePenalty(log),
    deadLetters: deadLetters.map(({ reason, value }) => ({ reason, isPoison: value?.equals(POISON) === true })),
    lag: await lagOf(stage),
    comparison: compare(await journal.rows(erp), sandbox.state()),
  };
};

/** Codes of errors whose sentence names the folder. */
const LOGS_TELL_MORE: ReadonlySet<string> = new Set(["DEMO_REPLICA", "DEMO_STALLED"]);

/** Any: the same one every time makes two runs comparable. */
const SEED = 42;
const launch = async (
  number: number,
  folder: string,
  options: DemoOptions,
  { surroundings }: Stage,
  { clock, env }: DemoDeps,
): Promise<Replica> => {
  const port = await getPort();
  const config = connectorConfig(options, surroundings, port);
  return startReplica({
    ...{ name: `replica-${number}`, folder, config, env, clock },
    adminUrl: `http://127.0.0.1:${port}`,
  });
};

const replicasTitle = ({ replicas, dialect }: DemoOptions): string =>
  `${replicas === 1 ? "The connector, one process" : `The connector, ${replicas} processes`}, ${dialect} dialect`;
