/** A group member in a process of its own, to be killed. Tells its parent when it has joined. */
import { systemClock } from "../../src/lib/clock.ts";
import { kafkaConfig } from "../../src/source/config.ts";
import { connectKafka } from "../../src/source/connect-kafka.ts";

const [broker, groupId, topic = ""] = process.argv.slice(2);
const config = kafkaConfig.parse({
  brokers: [broker],
  clientId: "victim",
  groupId,
  sessionTimeoutMs: 3_000,
  heartbeatIntervalMs: 200,
});
const deps = { clock: systemClock, random: Math.random, emit: () => {} };
const kafka = await connectKafka(config, deps, AbortSignal.timeout(60_000));
await kafka.source([topic]).start({
  onRecords() {},
  onAssignment: () => void process.send?.("joined"),
  beforeRejoin: async () => {},
  onDeath: (error) => {
    throw error;
  },
});
