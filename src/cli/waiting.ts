/** What commands say of the services they ask: for what they wait, and that they do not try for ever. */
import { ConnectorError, isConnectorError } from "../domain/errors.ts";
import type { Emit } from "../telemetry/events.ts";
import { clean, type Terminal } from "./terminal.ts";

const WAITS: ReadonlySet<string> = new Set([
  "kafka-unreachable",
  "store-failed",
  "registry-unreachable",
  "redis-unreachable",
]);

/** Whoever waits wants to know for what. */
export const waiting =
  (terminal: Pick<Terminal, "err" | "secrets">): Emit =>
  (name, fields) => {
    const { err } = terminal;
    if (WAITS.has(name)) {
      const cause = "cause" in fields ? clean(terminal, String(fields.cause)) : "no cause given";
      err(`waiting: ${name} (${cause})\n`);
    }
    if (name === "redis-refused" && "needs" in fields) err(`waiting: ${name}. ${fields.needs}\n`);
    if (name === "cooldown-started" && "waitMs" in fields)
      err(`waiting: Sell asks for a pause of ${Math.ceil(fields.waitMs / 1_000)} s\n`);
  };

/** A connector tries for ever, and says so; who called a command is told that it ended. */
export const givenUp = (error: unknown): unknown =>
  isConnectorError(error) && error.retriable
    ? new ConnectorError(error.code, error.message.replace(FOR_EVER, "."), { retriable: true, cause: error })
    : error;

const FOR_EVER = /; trying again\.$|\. The records wait, and it is asked again\.$/;
