/** A connector waits for its brokers; whoever asks once wants to hear of the first refusal. */
import type { Clock } from "../lib/clock.ts";
import type { KafkaConfig } from "../source/config.ts";
import type { KafkaConnection } from "../source/connect-kafka.ts";
import type { Emit } from "../telemetry/events.ts";

/** Rejects with what `away` makes of the cause of the first refusal, null where none was given; then nothing goes on trying. */
export const kafkaAtOnce = async (
  config: KafkaConfig,
  deps: { readonly clock: Clock; readonly random: () => number },
  away: (cause: string | null) => Error,
  signal: AbortSignal,
): Promise<KafkaConnection> => {
  // Loaded only here: help and mistakes need no client of Kafka.
  const { connectKafka } = await import("../source/connect-kafka.ts");
  const refused = Promise.withResolvers<never>();
  const emit: Emit = (name, fields) => {
    if (name === "kafka-unreachable") refused.reject(away("cause" in fields ? String(fields.cause) : null));
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
