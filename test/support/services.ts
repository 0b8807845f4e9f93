/** Kafka, Redis and a schema registry, started once for a run of the integration tests and stopped after it. */
import type { TestProject } from "vitest/node";
import { SERVICE_NAMES } from "../../src/demo/services/options.ts";
import { startServices } from "../../src/demo/services/services.ts";

declare module "vitest" {
  export interface ProvidedContext {
    /** Bootstrap server, `host:port`. */
    kafka: string;
    /** `redis://host:port`. */
    redis: string;
    /** URL of a Confluent-compatible API. */
    registry: string;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const services = await startServices({ want: SERVICE_NAMES, say: (line) => process.stderr.write(`${line}\n`) });
  for (const name of SERVICE_NAMES) project.provide(name, services[name]);
  return () => services.stop();
}
