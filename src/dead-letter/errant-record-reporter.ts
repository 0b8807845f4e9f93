/** Writes dead letters: the record as it came, and in headers why it could not be delivered. */
import type { Errant } from "../domain/change.ts";
import { errorText } from "../domain/errors.ts";
import { type ConsumerRecord, positionName, type RecordHeader } from "../domain/record.ts";
import type { ErrantRecordReporter, RecordProducer } from "../domain/stages.ts";
import { backoffMs } from "../lib/backoff.ts";
import type { Clock } from "../lib/clock.ts";
import type { Emit } from "../telemetry/events.ts";

export interface ReporterDeps {
  readonly producer: RecordProducer;
  readonly clock: Clock;
  readonly random: () => number;
  readonly emit: Emit;
  readonly connectorName: string;
  readonly connectorVersion: string;
}

/** A record that the topic refuses for its size is reported without its value; the offset says where it still is. */
const TOO_LARGE = /too large|MESSAGE_TOO_LARGE|RECORD_LIST_TOO_LARGE/i;
const LONGEST_MESSAGE = 1_024;

/** `topic` must exist. `report` retries until the dead letter is stored: the offset must not be committed before. */
export const createErrantRecordReporter = (topic: string, deps: ReporterDeps): ErrantRecordReporter => ({
  async report(record, errant, attempts, signal) {
    const { key, timestampMs } = record;
    const headers = [...record.headers, ...reasons(record, errant, attempts, deps)];
    const whole = { topic, key, timestampMs, value: record.value, headers };
    const cut = { ...whole, value: null, headers: [...headers, VALUE_OMITTED] };
    for (let attempt = 1; ; attempt++) {
      signal.throwIfAborted();
      try {
        await deps.producer.send([whole]).catch((error: unknown) => {
          if (whole.value === null || !TOO_LARGE.test(errorText(error))) throw error;
          return deps.producer.send([cut]);
        });
        break;
      } catch (error) {
        deps.emit("dead-letter-failed", { topic, cause: errorText(error) });
        await deps.clock.sleep(backoffMs(attempt, deps.random, { floorMs: 500, capMs: 30_000 }), signal);
      }
    }
    const { reason, message } = errant;
    deps.emit("dead-lettered", {
      topic: record.position.topic,
      position: positionName(record.position),
      reason,
      message,
    });
  },
});

const header = (name: string, value: string): RecordHeader => [name, Buffer.from(value)];

const VALUE_OMITTED = header("x-sink.value-omitted", "too-large");

/** Kafka Connect's names where it has one, so that its tools can read them; ours under `x-sink.`. */
const reasons = (record: ConsumerRecord, errant: Errant, attempts: number, deps: ReporterDeps): RecordHeader[] => {
  const { topic, partition, offset } = record.position;
  const headers: RecordHeader[] = [
    header("__connect.errors.topic", topic),
    header("__connect.errors.partition", String(partition)),
    header("__connect.errors.offset", String(offset)),
    header("__connect.errors.connector.name", deps.connectorName),
    header("__connect.errors.stage", errant.stage),
    header("__connect.errors.exception.message", errant.message.slice(0, LONGEST_MESSAGE)),
    header("x-sink.reason", errant.reason),
    header("x-sink.attempts", String(attempts)),
    header("x-sink.last-attempt-ms", String(deps.clock.now())),
    header("x-sink.record-timestamp", String(record.timestampMs)),
    header("x-sink.connector-version", deps.connectorVersion),
  ];
  if (errant.httpStatus !== undefined) headers.push(header("x-sink.http-status", String(errant.httpStatus)));
  if (errant.code !== undefined) headers.push(header("x-sink.item-code", errant.code));
  if (errant.field !== undefined) headers.push(header("x-sink.item-field", errant.field));
  return headers;
};
