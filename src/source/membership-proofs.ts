/** Renews the lease with every answer that proves that the group still counts us as a member. */
import type { Consumer } from "kafkajs";
import type { Lease } from "./lease.ts";

export const renewByProofs = (consumer: Consumer, lease: Lease): void => {
  const { REQUEST, HEARTBEAT, COMMIT_OFFSETS, GROUP_JOIN } = consumer.events;
  // Milliseconds from sending to answer, of the last request of each kind; kafkajs tells it just before the event it led to.
  const answerMs = { Heartbeat: 0, OffsetCommit: 0, SyncGroup: 0 };
  const isProof = (apiName: string): apiName is keyof typeof answerMs => apiName in answerMs;

  consumer.on(REQUEST, ({ payload }) => {
    if (isProof(payload.apiName)) answerMs[payload.apiName] = payload.duration;
  });
  consumer.on(HEARTBEAT, () => lease.renew(answerMs.Heartbeat));
  consumer.on(COMMIT_OFFSETS, () => lease.renew(answerMs.OffsetCommit));
  consumer.on(GROUP_JOIN, () => lease.renew(answerMs.SyncGroup));
};
