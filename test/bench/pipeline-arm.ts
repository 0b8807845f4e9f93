/** One arm of the pipeline bench in a process of its own: `connector CONFIG` or `bare BROKER TOPIC COUNT`. Sends its figures to its parent. */
import { readFileSync } from "node:fs";
import { Registry } from "prom-client";
import { configSchema } from "../../src/config/spec.ts";
import { startConnector } from "../../src/connector.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { kafkaConfig } from "../../src/source/config.ts";
import { connectKafka } from "../../src/source/connect-kafka.ts";
import type { Emit } from "../../src/telemetry/events.ts";
import { createLogger } from "../../src/telemetry/logger.ts";
import { observe } from "../../src/telemetry/observe.ts";

export interface Figures {
  readonly cpuS: number;
  readonly wallS: number;
  readonly peakMiB: number;
}

const deps = { clock: systemClock, random: systemRandom };
const never = new AbortController().signal;

/** Measures from the first record to the last. */
const measured = async (work: (begin: () => void) => Promise<void>): Promise<Figures> => {
  let cpu = process.cpuUsage();
  let at = performance.now();
  await work(() => {
    cpu = process.cpuUsage();
    at = performance.now();
  });
  const { user, system } = process.cpuUsage(cpu);
  return {
    cpuS: (user + system) / 1e6,
    wallS: (performance.now() - at) / 1e3,
    peakMiB: process.resourceUsage().maxRSS / 1024,
  };
};

const connector = (file: string, count: number): Promise<Figures> =>
  measured(async (begin) => {
    const config = configSchema.parse(JSON.parse(readFileSync(file, "utf8")));
    const registry = new Registry();
    const metered = observe({ logger: createLogger({ level: "error", fields: {} }), registry });
    const all = Promise.withResolvers<void>();
    let settled = 0;
    const emit: Emit = (name, fields) => {
      metered(name, fields);
      if (name === "joined") begin();
      if (name === "delivered" && ++settled === count) all.resolve();
    };
    const running = await startConnector(config, { ...deps, emit, registry, version: "bench", signal: never });
    await Promise.race([all.promise, running.done]);
    await running.stop("bench");
  });

/** The floor: a consumer that copies bytes and drops them. */
const bare = (broker: string, topic: string, count: number): Promise<Figures> =>
  measured(async (begin) => {
    const config = kafkaConfig.parse({ brokers: [broker], groupId: `bare-${topic}` });
    const kafka = await connectKafka(config, { ...deps, emit: () => {} }, never);
    const source = kafka.source([topic]);
    const all = Promise.withResolvers<void>();
    let seen = 0;
    await source.start({
      onRecords(_, records) {
        seen += records.length;
        if (seen >= count) all.resolve();
      },
      onAssignment: ({ gained }) => {
        begin();
        gained.forEach((partition) => source.resume(partition));
      },
      beforeRejoin: async () => {},
      onDeath: all.reject,
    });
    await all.promise;
    await source.stop();
    await kafka.close();
  });

const [arm = "", first = "", second = "", third = ""] = process.argv.slice(2);
const figures = arm === "connector" ? await connector(first, Number(second)) : await bare(first, second, Number(third));
process.send?.(figures);
process.disconnect();
