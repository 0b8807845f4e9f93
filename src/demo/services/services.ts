/**
 * Real Kafka, Redis and schema registry for the demo and the tests. Each comes from the first of these that has it:
 * an address in the environment, Docker, a local process.
 */
import { errorText } from "../../domain/errors.ts";
import { dockerAnswers, startContainer } from "./docker.ts";
import { startKafka } from "./kafka.ts";
import type { LocalProcess } from "./local-process.ts";
import { type Context, type ServiceName, type StartOptions, withDefaults } from "./options.ts";
import { startPostgres } from "./postgres.ts";
import { startRedis } from "./redis.ts";
import { startRegistry } from "./registry.ts";

/** `kafka` is `host:port`, `redis` and `postgres` URLs, `registry` the URL of a Confluent-compatible API. */
export type Services<W extends ServiceName> = Readonly<Record<W, string>> &
  AsyncDisposable & {
    /** Those that run as our children, for tests that stop, kill or freeze them. */
    readonly local: Readonly<Partial<Record<ServiceName, LocalProcess>>>;
    /** Ends what was started here; addresses from the environment stay untouched. */
    stop(): Promise<void>;
  };

export const SERVICE_TITLES: Record<ServiceName, string> = {
  kafka: "Kafka",
  redis: "Redis",
  registry: "Schema registry",
  postgres: "PostgreSQL",
};
const VARIABLES: Record<ServiceName, string> = {
  kafka: "SELL_SINK_KAFKA",
  redis: "SELL_SINK_REDIS",
  registry: "SELL_SINK_REGISTRY",
  postgres: "SELL_SINK_POSTGRES",
};
const START_LOCAL = { kafka: startKafka, redis: startRedis, registry: startRegistry, postgres: startPostgres };

/** All of `want`, or an error and nothing left running. Says in a line each where a service came from. */
export const startServices = async <W extends ServiceName>({
  want,
  ...options
}: StartOptions & { readonly want: readonly W[] }): Promise<Services<W>> => {
  const context = withDefaults(options);
  await using started = new AsyncDisposableStack();
  // The first failure ends the others' start, and is the one that is told.
  const failed = new AbortController();
  const signal = AbortSignal.any([context.signal, failed.signal]);
  let docker: Promise<boolean> | undefined;
  const hasDocker = (): Promise<boolean> => (docker ??= dockerAnswers(context));

  const starts = want.map(async (name) => {
    try {
      const service = await startOne(name, { ...context, signal }, hasDocker);
      started.use(service);
      return [name, service] as const;
    } catch (error) {
      failed.abort(error);
      throw error;
    }
  });
  await Promise.allSettled(starts);
  failed.signal.throwIfAborted();
  const services = await Promise.all(starts);

  const running = started.move();
  const stop = (): Promise<void> => running.disposeAsync();
  return {
    ...(Object.fromEntries(services.map(([name, { address }]) => [name, address])) as Record<W, string>),
    local: Object.fromEntries(services.map(([name, { local }]) => [name, local])),
    stop,
    [Symbol.asyncDispose]: stop,
  };
};

interface Started extends AsyncDisposable {
  readonly address: string;
  readonly local?: LocalProcess;
}

const startOne = async (name: ServiceName, context: Context, hasDocker: () => Promise<boolean>): Promise<Started> => {
  const { env, say } = context;
  const given = env[VARIABLES[name]];
  if (given) {
    say(`${SERVICE_TITLES[name]}: the address in ${VARIABLES[name]}`);
    return { address: given, async [Symbol.asyncDispose]() {} };
  }
  if (await hasDocker()) {
    try {
      const container = await startContainer(name);
      say(`${SERVICE_TITLES[name]}: ${container.address}, in Docker`);
      return container;
    } catch (error) {
      say(`${SERVICE_TITLES[name]}: Docker could not start it (${errorText(error)}); trying a local process`);
    }
  }
  const local = await START_LOCAL[name](context);
  say(`${SERVICE_TITLES[name]}: ${local.address}, a local process`);
  return { address: local.address, local, [Symbol.asyncDispose]: () => local.stop() };
};
