/** Writes dead letters: the record as it came, and in headers why it could not be delivered. */
import { errorText, isConnectorError } from "../domain/errors.ts";
import { positionName } from "../domain/record.ts";
import type { ErrantRecordReporter, ProducedRecord, RecordProducer } from "../domain/stages.ts";
import { backoffMs } from "../lib/backoff.ts";
import type { Clock } from "../lib/clock.ts";
import type { Emit } from "../telemetry/events.ts";
import { letterHeaders, omittedHeader, readLetter, replayTopicOf, type Sender } from "./letter.ts";

export interface ReporterDeps {
  readonly producer: RecordProducer;
  readonly clock: Clock;
  readonly random: () => number;
  readonly emit: Emit;
  readonly sender: Sender;
}

/** `topic` must exist. `report` retries until the dead letter is stored: the offset must not be committed before. */
export const createErrantRecordReporter = (topic: string, deps: ReporterDeps): ErrantRecordReporter => ({
  async report(record, errant, { count, firstMs, names }, signal) {
    const nowMs = deps.clock.now();
    const replayed = record.position.topic === replayTopicOf(topic) ? readLetter(record) : null;
    const burial = { record, errant, attempts: count, firstAttemptMs: firstMs ?? nowMs, names, nowMs, replayed };
    const block = letterHeaders(burial, deps.sender);
    // Dated by now: by the record's own age, which may exceed the topic's retention, Kafka would delete it at once.
    const whole = { topic, timestampMs: nowMs, key: record.key, value: record.value };
    const own = replayed?.headers ?? record.headers;
    const forms: readonly ProducedRecord[] = [
      { ...whole, headers: [...own, ...block] },
      { ...whole, value: null, headers: [...own, ...block, omittedHeader("value")] },
      { ...whole, key: null, value: null, headers: [...block, omittedHeader("all")] },
    ];
    for (let attempt = 1; ; attempt++) {
      signal.throwIfAborted();
      try {
        await firstThatFits(forms, deps.producer);
        break;
      } catch (error) {
        deps.emit("dead-letter-failed", { topic, cause: errorText(error) });
        await deps.clock.sleep(backoffMs(attempt, deps.random, { floorMs: 500, capMs: 30_000 }), signal);
      }
    }
    const { reason, message } = errant;
    const position = positionName(record.position);
    deps.emit("dead-lettered", { topic: record.position.topic, position, reason, message, ...names });
  },
});

/** A topic that takes no record of that size gets the headers, which say where the record still is. */
const firstThatFits = async (forms: readonly ProducedRecord[], producer: RecordProducer): Promise<void> => {
  for (const [i, form] of forms.entries()) {
    try {
      return await producer.send([form]);
    } catch (error) {
      const isTooLarge = isConnectorError(error) && error.code === "RECORD_TOO_LARGE";
      if (!isTooLarge || i === forms.length - 1) throw error;
    }
  }
};
