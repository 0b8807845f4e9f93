/**
 * Times that depend on each other. A rebalance waits behind the barrier for calls in flight, a stop drains them, and both
 * must end while the group still counts this process as a member.
 */
import { BARRIER_MS, DRAIN_MS } from "../domain/times.ts";
import type { CrossFieldFault } from "./problem.ts";
import type { Config } from "./spec.ts";

/** What a last commit, or the scheduling of a busy process, may take. */
const MARGIN_MS = 500;

export const timingFaults = ({ kafka, sell }: Partial<Config>): readonly CrossFieldFault[] => {
  const faults: CrossFieldFault[] = [];
  const fault = (path: CrossFieldFault["path"], message: string): void => {
    faults.push({ path, message, severity: "error" });
  };
  if (sell !== undefined) {
    const { timeoutMs, lateApplyMaxMs, asyncJobs, jobTimeoutMs } = sell;
    if (timeoutMs + MARGIN_MS > BARRIER_MS) {
      fault(
        ["sell", "timeoutMs"],
        `${timeoutMs} is too long: a call must end within the ${BARRIER_MS} ms that a rebalance waits for it; set ${BARRIER_MS - MARGIN_MS} or less.`,
      );
    }
    if (lateApplyMaxMs < timeoutMs) {
      fault(
        ["sell", "lateApplyMaxMs"],
        `${lateApplyMaxMs} is shorter than sell.timeoutMs (${timeoutMs}): Sell may apply a request for at least as long as we wait for it; set ${2 * timeoutMs}.`,
      );
    } else if (asyncJobs && lateApplyMaxMs < timeoutMs + jobTimeoutMs) {
      fault(
        ["sell", "lateApplyMaxMs"],
        `${lateApplyMaxMs} is shorter than sell.timeoutMs and sell.jobTimeoutMs together: Sell may work on a job for at least as long as we ask for it; set ${timeoutMs + jobTimeoutMs}, or sell.jobTimeoutMs to less.`,
      );
    }
  }
  if (kafka !== undefined) {
    const { sessionTimeoutMs, heartbeatIntervalMs, rebalanceTimeoutMs } = kafka;
    if (heartbeatIntervalMs * 3 > sessionTimeoutMs) {
      fault(
        ["kafka", "heartbeatIntervalMs"],
        `${heartbeatIntervalMs} is too long: at least three heartbeats must fit into kafka.sessionTimeoutMs (${sessionTimeoutMs}); set ${Math.floor(sessionTimeoutMs / 3)} or less.`,
      );
    }
    const sessionMinMs = BARRIER_MS + 2 * heartbeatIntervalMs + MARGIN_MS;
    if (sessionTimeoutMs < sessionMinMs) {
      fault(
        ["kafka", "sessionTimeoutMs"],
        `${sessionTimeoutMs} is too short: no heartbeat goes out while a rebalance waits ${BARRIER_MS} ms for calls in flight; set ${sessionMinMs} or more.`,
      );
    }
    if (rebalanceTimeoutMs < DRAIN_MS + MARGIN_MS) {
      fault(
        ["kafka", "rebalanceTimeoutMs"],
        `${rebalanceTimeoutMs} is too short: a replica that stops may drain for ${DRAIN_MS} ms; set ${DRAIN_MS + MARGIN_MS} or more.`,
      );
    }
  }
  return faults;
};
