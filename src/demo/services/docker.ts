/** The services as containers, where a Docker engine answers. */
import getPort from "get-port";
import { brokerProperties, KAFKA_READY_LINE, KAFKA_VERSION } from "./kafka.ts";
import { type Context, READY_WITHIN_MS, type ServiceName } from "./options.ts";
import { POSTGRES_READY_LINE, POSTGRES_SETTINGS, POSTGRES_VERSION } from "./postgres.ts";
import { REGISTRY_API, REGISTRY_VERSION } from "./registry.ts";
import { run } from "./run.ts";

export interface Container extends AsyncDisposable {
  readonly address: string;
}

const PROBE_MS = 5_000;

/** Asks the engine through Docker's own client: a few milliseconds, while importing testcontainers takes seconds. */
export const dockerAnswers = async ({ env, signal }: Pick<Context, "env" | "signal">): Promise<boolean> => {
  const answer = run("docker", ["version", "--format", "{{.Server.Version}}"], { env, timeoutMs: PROBE_MS }, signal);
  return answer.then(
    () => true,
    () => false,
  );
};

/** Starts one service; testcontainers removes it when this process is gone. */
export const startContainer = async (name: ServiceName): Promise<Container> => {
  switch (name) {
    case "kafka":
      return startKafkaContainer();
    case "redis":
      return startOn(
        "redis:7.2-alpine",
        6379,
        ({ host, port }) => `redis://${host}:${port}`,
        "Ready to accept connections",
      );
    case "registry":
      return startOn(
        `apicurio/apicurio-registry:${REGISTRY_VERSION}`,
        8080,
        ({ host, port }) => `http://${host}:${port}${REGISTRY_API}`,
        { path: `${REGISTRY_API}/subjects` },
      );
    case "postgres":
      return startPostgresContainer();
  }
};

interface Endpoint {
  readonly host: string;
  readonly port: number;
}

const startOn = async (
  image: string,
  port: number,
  toAddress: (endpoint: Endpoint) => string,
  ready: string | { readonly path: string },
): Promise<Container> => {
  const { GenericContainer, Wait } = await import("testcontainers");
  const started = await new GenericContainer(image)
    .withExposedPorts(port)
    .withWaitStrategy(typeof ready === "string" ? Wait.forLogMessage(ready) : Wait.forHttp(ready.path, port))
    .withStartupTimeout(READY_WITHIN_MS)
    .start();
  return {
    address: toAddress({ host: started.getHost(), port: started.getMappedPort(port) }),
    async [Symbol.asyncDispose]() {
      await started.stop();
    },
  };
};

/** A broker must tell its clients the port they reach it on, so that port is chosen before it starts. */
const startKafkaContainer = async (): Promise<Container> => {
  const { GenericContainer, getContainerRuntimeClient, Wait } = await import("testcontainers");
  const { host } = (await getContainerRuntimeClient()).info.containerRuntime;
  const port = await getPort();
  const properties = brokerProperties({
    listenHost: "0.0.0.0",
    host,
    port,
    controllerPort: port === 9093 ? 9094 : 9093,
    logDirs: "/tmp/kafka-logs",
  });
  const started = await new GenericContainer(`apache/kafka:${KAFKA_VERSION}`)
    .withExposedPorts({ container: port, host: port })
    .withEnvironment(asEnvironment(properties))
    .withWaitStrategy(Wait.forLogMessage(KAFKA_READY_LINE))
    .withStartupTimeout(READY_WITHIN_MS)
    .start();
  return {
    address: `${host}:${port}`,
    async [Symbol.asyncDispose]() {
      await started.stop();
    },
  };
};

const startPostgresContainer = async (): Promise<Container> => {
  const { GenericContainer, Wait } = await import("testcontainers");
  const started = await new GenericContainer(`postgres:${POSTGRES_VERSION}-alpine`)
    .withExposedPorts(5432)
    .withEnvironment({ POSTGRES_HOST_AUTH_METHOD: "trust" })
    .withCommand(POSTGRES_SETTINGS.flatMap((setting) => ["-c", setting]))
    .withWaitStrategy(Wait.forLogMessage(POSTGRES_READY_LINE, 2)) // the first is that of its own set-up
    .withStartupTimeout(READY_WITHIN_MS)
    .start();
  return {
    address: `postgres://postgres@${started.getHost()}:${started.getMappedPort(5432)}/postgres`,
    async [Symbol.asyncDispose]() {
      await started.stop();
    },
  };
};

/** The image reads `a.b` from `KAFKA_A_B`. */
const asEnvironment = (properties: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(properties).map(([key, value]) => [`KAFKA_${key.toUpperCase().replaceAll(".", "_")}`, value]),
  );
