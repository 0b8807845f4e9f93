/** Settings of the topics that decide whether changes can be lost before they were delivered, or dead letters after. */
import type { Config } from "../config/spec.ts";
import { type Check, type Finding, ok, warning } from "../online/check.ts";
import type { KafkaConnection } from "../source/connect-kafka.ts";
import { findReplayTopic, refuseCompacted } from "../wiring/replay-topic.ts";
import { topicsOf } from "../wiring/topic-formats.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;
/** Longer than a weekend in which nobody looks. */
const SOURCE_RETENTION_MS = 3 * DAY_MS;
const LETTERS_RETENTION_MS = 7 * DAY_MS;

/** Reads only settings and offsets. `drainMs`: how long the connector needs for so many records, at the quota. */
export const topicChecks = (
  config: Config,
  connection: () => KafkaConnection,
  drainMs: (records: bigint) => number,
): readonly Check[] => [
  ...topicsOf(config).map((topic) => retentionCheck(topic, config, connection, drainMs)),
  lettersCheck(config, connection),
];

const retentionCheck = (
  topic: string,
  { kafka }: Config,
  connection: () => KafkaConnection,
  drainMs: (records: bigint) => number,
): Check => ({
  name: `retention of ${topic}`,
  needs: ["kafka", `topic ${topic}`],
  waitsFor: "the brokers",
  async run() {
    const { admin } = connection();
    const [retention, policy] = await Promise.all([
      admin.topicSetting(topic, "retention.ms"),
      admin.topicSetting(topic, "cleanup.policy"),
    ]);
    if (retention === null) return [mayNotAsk(topic, kafka.brokers[0])];
    const ends = await admin.endOffsets([topic]);
    const needsMs = drainMs(ends.reduce((sum, { low, high }) => sum + high - low, 0n));
    const keepsMs = Number(retention);
    const isKept = keepsMs < 0 || policy === "compact";
    const wantsMs = Math.max(SOURCE_RETENTION_MS, 2 * needsMs);
    if (!isKept && keepsMs < wantsMs) {
      const sentence = `${topic} keeps its records for ${span(keepsMs)}; draining all of it at the quota takes ${span(needsMs)}, and an outage comes on top.`;
      return [warning(sentence, alter(kafka.brokers[0], topic, `retention.ms=${Math.ceil(wantsMs)}`))];
    }
    const keeps = isKept ? "for good" : `for ${span(keepsMs)}`;
    return [ok(`${topic} keeps its records ${keeps}; draining all of it at the quota takes ${span(needsMs)}.`)];
  },
});

const lettersCheck = (config: Config, connection: () => KafkaConnection): Check => ({
  name: "settings of the dead letters",
  needs: ["kafka", "dead letters"],
  waitsFor: "the brokers",
  async run() {
    const { topic } = config.deadLetter;
    const [broker] = config.kafka.brokers;
    const { admin } = connection();
    // Rejects with the sentence to print when it is compacted.
    if (!(await refuseCompacted(topic, admin))) return [mayNotAsk(topic, broker)];
    const retention = await admin.topicSetting(topic, "retention.ms");
    const findings: Finding[] = [];
    const keepsMs = Number(retention ?? -1);
    if (keepsMs >= 0 && keepsMs < LETTERS_RETENTION_MS) {
      const sentence = `${topic} keeps dead letters for ${span(keepsMs)}; who comes back from a week off finds none.`;
      findings.push(warning(sentence, alter(broker, topic, `retention.ms=${30 * DAY_MS}`)));
    }
    const replay = await findReplayTopic(config, admin);
    if (replay.status === "unusable") findings.push(warning("Dead letters cannot be replayed.", replay.why));
    return findings.length > 0
      ? findings
      : [ok(`${topic} keeps every dead letter for ${keepsMs < 0 ? "good" : span(keepsMs)}.`)];
  },
});

const mayNotAsk = (topic: string, broker: string | undefined): Finding =>
  warning(
    `This user may not see the settings of ${topic}.`,
    `kafka-acls.sh --bootstrap-server ${broker} --add --allow-principal User:NAME --operation DescribeConfigs --topic ${topic}`,
  );

/** Kafka's names of topics need no quotes. */
export const alter = (broker: string | undefined, topic: string, setting: string): string =>
  `kafka-configs.sh --bootstrap-server ${broker} --alter --entity-type topics --entity-name ${topic} --add-config ${setting}`;

const span = (ms: number): string => {
  if (ms >= 2 * DAY_MS) return `${Math.round(ms / DAY_MS)} days`;
  return ms >= 2 * HOUR_MS ? `${Math.round(ms / HOUR_MS)} hours` : `${Math.ceil(ms / 60_000)} min`;
};
