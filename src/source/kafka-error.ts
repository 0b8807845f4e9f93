/** What a kafkajs error is about. The broker's own code lies under one or two wrappers, in `cause.type`. */
import { ConnectorError, errorText, isConnectorError } from "../domain/errors.ts";

const DEPTH_MAX = 5;

/** The broker's error name (`REBALANCE_IN_PROGRESS`), else the class of the innermost error. */
export const kafkaErrorType = (error: unknown): string => {
  let innermost = error;
  for (let depth = 0; depth < DEPTH_MAX && innermost instanceof Error; depth++) {
    if ("type" in innermost && typeof innermost.type === "string") return innermost.type;
    if (!(innermost.cause instanceof Error)) return innermost.name;
    innermost = innermost.cause;
  }
  return "unknown";
};

/** An error of ours that travelled through kafkajs's wrappers. */
export const ownError = (error: unknown): ConnectorError | null => {
  let inner = error;
  for (let depth = 0; depth < DEPTH_MAX && inner instanceof Error; depth++) {
    if (isConnectorError(inner)) return inner;
    inner = inner.cause;
  }
  return null;
};

/** `doing` completes the sentence "Kafka failed while ...". */
export const kafkaFailed = (doing: string, cause: unknown): ConnectorError =>
  ownError(cause) ??
  new ConnectorError("KAFKA_FAILED", `Kafka failed while ${doing}: ${kafkaErrorType(cause)}, ${errorText(cause)}`, {
    retriable: true,
    cause,
  });
