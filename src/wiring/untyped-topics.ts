/**
 * A look at the topics before anything is consumed: a mapped decimal or date that comes without a type is said at once, with
 * the hint to add, and not record by record in the dead-letter topic.
 */
import type { Config } from "../config/spec.ts";
import { createDecoder, type TopicFormat } from "../decode/decoder.ts";
import type { SchemaSource } from "../decode/schema-source.ts";
import { ConnectorError } from "../domain/errors.ts";
import type { ConsumerRecord } from "../domain/record.ts";
import type { Clock } from "../lib/clock.ts";
import { within } from "../lib/within.ts";
import { untypedPlaces } from "../map/untyped-columns.ts";
import { formatsOf } from "./topic-formats.ts";

export interface LookDeps {
  readonly sample: (topic: string) => Promise<readonly ConsumerRecord[]>;
  readonly schemas: SchemaSource | null;
  readonly clock: Clock;
}

/** Longest look of a start; what it did not see, the decoder refuses record by record. */
const LOOK_MS = 10_000;

/** Rejects with ConnectorError `COLUMN_UNTYPED`. Whatever else is wrong with a topic or its registry is not its affair. */
export const refuseUntyped = async (
  { routes }: Pick<Config, "routes">,
  { sample, schemas, clock }: LookDeps,
  signal: AbortSignal,
): Promise<void> => {
  const sentences: string[] = [];
  const look = async (cut: AbortSignal): Promise<void> => {
    for (const [topic, format] of formatsOf({ routes })) {
      if (isTyped(format)) continue;
      const records = await sample(topic);
      cut.throwIfAborted();
      const columns = await untypedColumns(records, topic, format, schemas);
      for (const { sentence, next } of untypedPlaces(routes, topic, columns))
        sentences.push(`${sentence} Next: ${next}.`);
    }
  };
  await within(clock, LOOK_MS, (cut) => look(cut).catch(() => {}), signal);
  if (sentences.length > 0) throw new ConnectorError("COLUMN_UNTYPED", sentences.join(" "), { retriable: false });
};

/** Avro always has a schema. */
const isTyped = ({ format, encoding }: TopicFormat): boolean => (encoding ?? format).includes("avro");

/** Columns that mostly came without a type they need, with the hints that fit; one odd record decides nothing. */
export const untypedColumns = async (
  records: readonly ConsumerRecord[],
  topic: string,
  format: TopicFormat,
  schemas: SchemaSource | null,
): Promise<ReadonlyMap<string, readonly string[]>> => {
  const seen: { readonly column: string; readonly hints: readonly string[] }[] = [];
  const onUntyped = (column: string, hints: readonly string[]): void => void seen.push({ column, hints });
  const decoder = createDecoder(new Map([[topic, format]]), { schemas, onUntyped });
  for (const record of records) {
    try {
      await decoder.decode(record);
    } catch {
      // A registry that does not answer: this record says nothing.
    }
  }
  const untyped = new Map<string, readonly string[]>();
  for (const [column, values] of Map.groupBy(seen, ({ column }) => column)) {
    const needy = values.filter(({ hints }) => hints.length > 0).map(({ hints }) => hints);
    // The shortest list is the surest: "Yag=" is no number and "12.50" no base64, while "1234" may be both.
    const [hints] = needy.toSorted((a, b) => a.length - b.length);
    if (hints !== undefined && needy.length * 2 >= values.length) untyped.set(column, hints);
  }
  return untyped;
};
