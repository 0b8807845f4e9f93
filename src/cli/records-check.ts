/** `validate --online`, the records of one topic: are they what the route says, and does the mapping find what it reads? */
import type { Config } from "../config/spec.ts";
import { createDecoder, type TopicFormat } from "../decode/decoder.ts";
import { FORMATS } from "../decode/formats.ts";
import { likelyFormat } from "../decode/likely-format.ts";
import { createSchemaSource } from "../decode/schema-source.ts";
import type { Decoded } from "../domain/change.ts";
import { errorText } from "../domain/errors.ts";
import type { ConsumerRecord } from "../domain/record.ts";
import type { Decoder } from "../domain/stages.ts";
import type { Clock } from "../lib/clock.ts";
import { mappedColumns } from "../map/mapped-columns.ts";
import { untypedPlaces } from "../map/untyped-columns.ts";
import { type Check, failed } from "../online/check.ts";
import { judgeSample } from "../online/sampled.ts";
import type { KafkaConnection } from "../source/connect-kafka.ts";
import { untypedColumns } from "../wiring/untyped-topics.ts";

/** Samples a topic and compares it with its route. */
export const recordsCheck = (
  topic: string,
  format: TopicFormat,
  { schemaRegistry, routes }: Config,
  clock: Clock,
  connection: () => KafkaConnection,
): Check => {
  const { encoding = FORMATS[format.format].encoding, keyEncoding = "" } = format;
  const isAvro = [encoding, keyEncoding].some((name) => name.includes("avro"));
  const expected = { topic, format: format.format, encoding, columns: mappedColumns(routes, topic) };
  return {
    name: `records of ${topic}`,
    needs: [`topic ${topic}`, ...(isAvro ? ["registry"] : [])],
    waitsFor: "the brokers and the schema registry",
    async run() {
      const schemas =
        schemaRegistry === undefined ? null : createSchemaSource(schemaRegistry, { clock, emit: () => {} });
      const records = await connection().sample(topic);
      // Without guards: that a column lacks a type is said below, once for each place that reads it.
      const decoder = createDecoder(new Map([[topic, { ...format, uses: undefined }]]), { schemas });
      const sampled = await Promise.all(
        records.map(async (record) => ({ decoded: await decodedBy(decoder, record), looks: likelyFormat(record) })),
      );
      const untyped = untypedPlaces(routes, topic, await untypedColumns(records, topic, format, schemas));
      return [...judgeSample(sampled, expected), ...untyped.map(({ sentence, next }) => failed(sentence, next))];
    },
  };
};

/** A record that would wait for its schema says so in the place of one that cannot be read. */
const decodedBy = async (decoder: Decoder, record: ConsumerRecord): Promise<Decoded> => {
  try {
    return await decoder.decode(record);
  } catch (error) {
    return { status: "errant", errant: { stage: "decode", reason: "no-schema", message: errorText(error) } };
  }
};
