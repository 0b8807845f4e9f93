/** JSON lines on stdout. Silence is health: see the levels in `observe.ts`. */
import { type DestinationStream, type Logger, pino } from "pino";

export type { Logger };

export interface LoggerOptions {
  readonly level: string;
  /** On every line, so that replicas and releases can be told apart. */
  readonly fields: { readonly [name: string]: string };
}

/** Writes synchronously: the last line before an exit is the one that matters most. */
export const createLogger = ({ level, fields }: LoggerOptions, destination?: DestinationStream): Logger => {
  const options = {
    level,
    base: fields,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  return destination === undefined ? pino(options) : pino(options, destination);
};
