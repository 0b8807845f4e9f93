/** What the connector would make of one record: the same decoder and mapper, and nothing behind them. */
import { createDecoder, type TopicFormat } from "../decode/decoder.ts";
import type { SchemaSource } from "../decode/schema-source.ts";
import type { Mapped, Mutation } from "../domain/mutation.ts";
import type { ConsumerRecord } from "../domain/record.ts";
import type { Decoder, Mapper } from "../domain/stages.ts";
import { formatOf, type Given, type Kind, recordOf } from "./given.ts";

/** One errant change makes its whole record a dead letter; a record is skipped when all of its changes are. */
export const outcomeOf = async (record: ConsumerRecord, decoder: Decoder, mapper: Mapper): Promise<Mapped> => {
  const decoded = await decoder.decode(record);
  if (decoded.status !== "changes") return decoded;
  const mutations: Mutation[] = [];
  let reason = "filtered";
  for (const change of decoded.changes) {
    const mapped = mapper.map(change, record);
    if (mapped.status === "errant") return mapped;
    if (mapped.status === "mutations") mutations.push(...mapped.mutations);
    else reason = mapped.reason;
  }
  return mutations.length > 0 ? { status: "mutations", mutations } : { status: "skip", reason };
};

/** The same for records that somebody wrote down. Rejects when a kind needs a registry and there is none. */
export const givenOutcomes = (
  formats: ReadonlyMap<string, TopicFormat>,
  mapper: Mapper,
  schemas: SchemaSource | null,
): ((given: Given, topic: string, offset: number) => Promise<{ record: ConsumerRecord; mapped: Mapped }>) => {
  const decoders = new Map<string, Decoder>();
  const decoderOf = (kind: Kind, topic: string, format: TopicFormat): Decoder => {
    const name = `${kind} ${topic}`;
    const known = decoders.get(name);
    if (known !== undefined) return known;
    const decoder = createDecoder(new Map([[topic, formatOf(kind, format)]]), { schemas });
    decoders.set(name, decoder);
    return decoder;
  };
  return async (given, topic, offset) => {
    const record = recordOf(given, topic, offset);
    const format = formats.get(topic);
    if (format === undefined) return { record, mapped: { status: "skip", reason: "no-route" } };
    return { record, mapped: await outcomeOf(record, decoderOf(given.kind, topic, format), mapper) };
  };
};

/** Why nothing is written for a record, for a person. */
export const skipSentence = (reason: string): string => SKIPS[reason] ?? "It tells of no change of a row.";

const SKIPS: Readonly<Record<string, string>> = {
  "no-route": "No route reads this topic.",
  filtered: "The route's when does not let it pass.",
  "other-table": "It is of another table than the route's.",
  unmapped: "It changes no column that the route maps, or would have to create what it knows only in part.",
  "delete-ignored": "It is a delete, and the route says onDelete: ignore.",
  "null-key-null-value": "It has neither key nor value.",
  truncate: "The whole table was emptied, which names no row.",
};
