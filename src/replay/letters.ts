/** Reads the dead-letter topic: letters page by page, as far as they are asked for. */
import { type Letter, readLetter } from "../dead-letter/letter.ts";
import type { ConsumerRecord } from "../domain/record.ts";
import type { KafkaConnection } from "../source/connect-kafka.ts";

export interface StoredLetter {
  /** As it stands in the dead-letter topic. */
  readonly stored: ConsumerRecord;
  readonly letter: Letter;
}

/** What is absent does not matter. Times are those at which a record became a dead letter, milliseconds since 1970. */
export interface LetterFilter {
  readonly reason?: string | undefined;
  readonly topic?: string | undefined;
  readonly sinceMs?: number | undefined;
  readonly untilMs?: number | undefined;
}

export interface LetterPage {
  readonly letters: readonly StoredLetter[];
  /** Records of the topic that were read so far, and all there were at the start. */
  readonly read: number;
  readonly total: number;
}

/** All that were there when it began: what is written meanwhile, perhaps by a replay, is left for another time. */
export async function* readLetters(
  topic: string,
  filter: LetterFilter,
  { admin, read }: Pick<KafkaConnection, "admin" | "read">,
  signal: AbortSignal,
): AsyncGenerator<LetterPage> {
  const ends = await admin.endOffsets([topic]);
  const starts = filter.sinceMs === undefined ? [] : await admin.offsetsAt(topic, filter.sinceMs);
  const ranges = ends.map((end) => {
    const start = starts.find(({ partition }) => partition === end.partition)?.offset ?? end.low;
    return { ...end, low: start > end.low ? start : end.low };
  });
  const total = Number(ranges.reduce((sum, { low, high }) => sum + high - low, 0n));
  let seen = 0;
  for await (const page of read(ranges, signal)) {
    seen += page.length;
    const letters = page.flatMap((stored) => {
      const letter = readLetter(stored);
      return letter !== null && matches(letter, filter) ? [{ stored, letter }] : [];
    });
    yield { letters, read: seen, total };
  }
}

const matches = (
  { reason, origin, lastAttemptMs }: Letter,
  { sinceMs = 0, untilMs = Number.POSITIVE_INFINITY, ...wanted }: LetterFilter,
): boolean =>
  (wanted.reason ?? reason) === reason &&
  (wanted.topic ?? origin.topic) === origin.topic &&
  lastAttemptMs >= sinceMs &&
  lastAttemptMs < untilMs;
