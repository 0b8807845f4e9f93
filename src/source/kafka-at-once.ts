/** A connector waits for its brokers; whoever asks once wants to hear of the first refusal. */
import { ConnectorError } from "../domain/errors.ts";
import type { Clock } from "../lib/clock.ts";
import type { Emit } from "../telemetry/events.ts";
import type { KafkaConfig } from "./config.ts";
import type { KafkaConnection } from "./connect-kafka.ts";

/**
 * Rejects with a retriable `UNREACHABLE` when no broker answers, whose sentence ends in `next` if that is not told elsewhere; then
 * nothing goes on trying. Else as `connectKafka`.
 */
export const kafkaAtOnce = async (
  config: KafkaConfig,
  deps: { readonly clock: Clock; readonly random: () => number },
  signal: AbortSignal,
  next: string | null = "check kafka.brokers, kafka.tls and kafka.sasl",
): Promise<KafkaConnection> => {
  // Loaded only here: help and mistakes need no client of Kafka.
  const { connectKafka } = await import("./connect-kafka.ts");
  const refused = Promise.withResolvers<never>();
  const emit: Emit = (name, fields) => {
    if (name !== "kafka-unreachable" || !("cause" in fields)) return;
    const message = `Kafka at ${config.brokers.join(", ")} does not answer (${fields.cause})${next === null ? "" : `; ${next}`}.`;
    refused.reject(new ConnectorError("UNREACHABLE", message, { retriable: true }));
  };
  const giveUp = new AbortController();
  const connecting = connectKafka(config, { ...deps, emit }, AbortSignal.any([signal, giveUp.signal]));
  try {
    return await Promise.race([connecting, refused.promise]);
  } catch (error) {
    giveUp.abort(error);
    await connecting.then(
      (late) => late.close(),
      () => {}, // called off: it ends with the error that is thrown here
    );
    throw error;
  }
};
