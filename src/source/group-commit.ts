/** Sends one offset commit at a time, believes only the broker's answer, and does not wait long for a broker that is silent. */
import type { Consumer } from "kafkajs";
import { ConnectorError } from "../domain/errors.ts";
import type { OffsetCommit } from "../domain/stages.ts";
import type { Clock } from "../lib/clock.ts";
import { LATE, NEVER, within } from "../lib/within.ts";
import { kafkaErrorType } from "./kafka-error.ts";

/** kafkajs would try for minutes, and with it everything that waits for a commit: the main loop, a rebalance, a stop. */
const COMMIT_MAX_MS = 2_500;

export interface GroupCommit {
  /** Rejects with COMMIT_REFUSED unless every row is known to be stored; also while an earlier one is still under way. */
  send(offsets: readonly OffsetCommit[]): Promise<void>;
  /** Resolves once no commit is under way. */
  ended(): Promise<void>;
}

export const createGroupCommit = (consumer: Consumer, clock: Clock): GroupCommit => {
  let current: { stored: boolean; readonly ended: Promise<void> } | null = null;
  consumer.on(consumer.events.COMMIT_OFFSETS, () => {
    if (current !== null) current.stored = true;
  });

  return {
    async send(offsets) {
      if (current !== null) throw commitRefused("the broker has not answered the one before");
      const sent = consumer
        .commitOffsets(offsets.map((row) => ({ ...row, offset: String(row.offset) })))
        .catch((cause: unknown) => {
          throw commitRefused(kafkaErrorType(cause), cause);
        });
      const forget = (): void => void (current = null);
      const commit = { stored: false, ended: sent.then(forget, forget) };
      current = commit;
      if ((await within(clock, COMMIT_MAX_MS, () => sent, NEVER)) === LATE) throw commitRefused("the broker is silent");
      // During a first join and while it stops, kafkajs reports success without sending anything.
      if (!commit.stored) throw commitRefused("kafkajs did not send it");
    },
    ended: () => current?.ended ?? Promise.resolve(),
  };
};

export const commitRefused = (reason: string, cause?: unknown): ConnectorError =>
  new ConnectorError(
    "COMMIT_REFUSED",
    `Offsets were not committed: ${reason}; they are committed after the next join.`,
    {
      retriable: true,
      cause,
    },
  );
