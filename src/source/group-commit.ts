/** Sends one offset commit at a time and believes only the broker's answer. */
import assert from "node:assert/strict";
import type { Consumer } from "kafkajs";
import { ConnectorError } from "../domain/errors.ts";
import type { OffsetCommit } from "../domain/stages.ts";
import { kafkaErrorType } from "./kafka-error.ts";

export interface GroupCommit {
  /** Rejects with COMMIT_REFUSED unless every row was stored. */
  send(offsets: readonly OffsetCommit[]): Promise<void>;
  /** Resolves once no commit is under way. */
  ended(): Promise<void>;
}

export const createGroupCommit = (consumer: Consumer): GroupCommit => {
  let current: { stored: boolean; readonly ended: Promise<void> } | null = null;
  consumer.on(consumer.events.COMMIT_OFFSETS, () => {
    if (current !== null) current.stored = true;
  });

  return {
    async send(offsets) {
      assert(current === null, "one commit at a time");
      const sent = consumer
        .commitOffsets(offsets.map((row) => ({ ...row, offset: String(row.offset) })))
        .catch((cause: unknown) => {
          throw commitRefused(kafkaErrorType(cause), cause);
        });
      const commit = { stored: false, ended: sent.catch(() => {}) };
      current = commit;
      try {
        await sent;
      } finally {
        current = null;
      }
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
