/** Records of a file or a topic, and what the connector would make of them. */
import type { Config } from "../config/spec.ts";
import { createDecoder } from "../decode/decoder.ts";
import { createSchemaSource } from "../decode/schema-source.ts";
import { ConnectorError } from "../domain/errors.ts";
import type { Mapped } from "../domain/mutation.ts";
import { type ConsumerRecord, positionName } from "../domain/record.ts";
import type { EndOffset } from "../domain/stages.ts";
import type { Clock } from "../lib/clock.ts";
import { compileRoutes } from "../map/mapper.ts";
import type { KafkaConnection } from "../source/connect-kafka.ts";
import { formatsOf } from "../wiring/topic-formats.ts";
import { givenLine } from "./given.ts";
import { givenOutcomes, outcomeOf } from "./outcome.ts";
import { readRows } from "./read-file.ts";
import { requestsOf, type ShownRequest } from "./requests.ts";

export interface PreviewOptions {
  readonly topic: string;
  readonly limit: number;
  readonly dialect: "bulk" | "core";
  readonly clock: Clock;
}

export interface PreviewedRecord {
  /** A position, or the row of a file. */
  readonly name: string;
  readonly mapped: Mapped;
}

export interface Previewed {
  readonly dialect: "bulk" | "core";
  readonly records: readonly PreviewedRecord[];
  readonly requests: readonly ShownRequest[];
  /** The file or topic has more records than were asked for. */
  readonly isPart: boolean;
}

/** No service is asked. Rejects with ConnectorError `FILE_UNREADABLE`. */
export const previewFile = async (config: Config, file: string, options: PreviewOptions): Promise<Previewed> => {
  const { topic, limit } = options;
  const formats = formatsOf(config);
  const { format = "json" } = formats.get(topic) ?? {};
  const outcome = givenOutcomes(formats, mapperOf(config), null);
  const records: PreviewedRecord[] = [];
  for await (const { value, text } of readRows(file)) {
    const number = records.length + 1;
    if (number > limit) return previewedOf(records, true, config, options);
    const { mapped } = await outcome(givenLine(value, text, format), topic, number);
    records.push({ name: `row ${number}`, mapped });
  }
  return previewedOf(records, false, config, options);
};

/** The newest records; no group is joined. Rejects when the topic is missing, or a registry that is needed does not answer. */
export const previewTopic = async (
  config: Config,
  { admin, read }: KafkaConnection,
  options: PreviewOptions,
  signal: AbortSignal,
): Promise<Previewed> => {
  const { topic, limit, clock } = options;
  if (!(await admin.partitionCounts([topic])).has(topic))
    throw new ConnectorError("TOPIC_MISSING", `Kafka has no topic ${topic}, or this user may not see it.`, {
      retriable: false,
    });
  const schemas =
    config.schemaRegistry === undefined ? null : createSchemaSource(config.schemaRegistry, { clock, emit: () => {} });
  const decoder = createDecoder(formatsOf(config), { schemas });
  const mapper = mapperOf(config);
  const ends = await admin.endOffsets([topic]);
  const newest: ConsumerRecord[] = [];
  for await (const page of read(
    ends.map((end) => lastOf(end, limit)),
    signal,
  ))
    newest.push(...page);
  const chosen = newest.sort((a, b) => a.timestampMs - b.timestampMs).slice(-limit);
  const records: PreviewedRecord[] = [];
  for (const record of chosen)
    records.push({ name: positionName(record.position), mapped: await outcomeOf(record, decoder, mapper) });
  const held = ends.reduce((sum, { low, high }) => sum + high - low, 0n);
  return previewedOf(records, held > BigInt(records.length), config, options);
};

const lastOf = (end: EndOffset, limit: number): EndOffset => {
  const from = end.high - BigInt(limit);
  return { ...end, low: from > end.low ? from : end.low };
};

const mapperOf = ({ routes, sell }: Config) => compileRoutes(routes, { keyField: sell.keyField });

const previewedOf = (
  records: readonly PreviewedRecord[],
  isPart: boolean,
  { sell, batch }: Config,
  { dialect, clock }: PreviewOptions,
): Previewed => {
  const mutations = records.flatMap(({ mapped }) => (mapped.status === "mutations" ? mapped.mutations : []));
  const settings = { dialect, keyField: sell.keyField, maxItems: batch.maxItems };
  return { dialect, records, requests: requestsOf(mutations, settings, clock), isPart };
};
