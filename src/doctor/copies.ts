/** Whether Kafka itself may lose what it acknowledged: one finding for all topics, which mostly have it from their broker. */
import type { Config } from "../config/spec.ts";
import { type Check, ok, warning } from "../online/check.ts";
import type { KafkaAdmin } from "../source/admin.ts";
import { topicsOf } from "../wiring/topic-formats.ts";
import { alter } from "./topics.ts";

const INSYNC = "min.insync.replicas";

/** Reads only settings. Finds nothing where this user may not see them, which the checks of each topic say. */
export const copiesCheck = (
  config: Config,
  connection: () => { readonly admin: Pick<KafkaAdmin, "brokers" | "topicSetting"> },
): Check => ({
  name: "copies",
  needs: ["kafka", ...topicsOf(config).map((topic) => `topic ${topic}`), "dead letters"],
  waitsFor: "the brokers",
  async run() {
    const { admin } = connection();
    if ((await admin.brokers()).length === 1) return [ONE_BROKER];
    const topics = [...topicsOf(config), config.deadLetter.topic];
    const insync = await Promise.all(topics.map((topic) => admin.topicSetting(topic, INSYNC)));
    const alone = topics.filter((_, i) => insync[i] === "1");
    if (alone.length > 0) {
      const sentence = `${alone.length} of ${topics.length} topics have ${INSYNC}=1: what one broker acknowledged may be lost with it.`;
      return [warning(sentence, `with three replicas: ${eachTo2(config.kafka.brokers[0], alone)}`)];
    }
    return insync.includes(null) ? [] : [ok(`${topics.length} of ${topics.length} topics have ${INSYNC} above 1.`)];
  },
});

const ONE_BROKER = warning(
  "Kafka has one broker: what it acknowledged may be lost with it.",
  `in production three brokers, topics with three replicas, and ${INSYNC}=2`,
);

const eachTo2 = (broker: string | undefined, topics: readonly string[]): string =>
  `for topic in ${topics.join(" ")}; do ${alter(broker, "$topic", `${INSYNC}=2`)}; done`;
