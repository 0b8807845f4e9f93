/** Broken promises. Expected answers (a rejected record, a full window) are values, never errors. */

export interface ConnectorErrorOptions {
  readonly retriable: boolean;
  readonly cause?: unknown;
}

/** `code` is stable and machine-readable; the message names the thing, the place and the next step, and holds no secret. */
export class ConnectorError extends Error {
  readonly code: string;
  readonly retriable: boolean;

  constructor(code: string, message: string, { retriable, cause }: ConnectorErrorOptions) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "ConnectorError";
    this.code = code;
    this.retriable = retriable;
  }
}

/** Whoever called asked for something that cannot be: the message says what is meant. */
export const usageError = (message: string, cause?: unknown): ConnectorError =>
  new ConnectorError("USAGE", message, { retriable: false, cause });

export const isConnectorError = (error: unknown): error is ConnectorError => error instanceof ConnectorError;

/** The text of whatever was thrown: never a stack, never an object dump. */
export const errorText = (error: unknown): string => (error instanceof Error ? error.message : String(error));
