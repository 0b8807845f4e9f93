/** `preview --online`: asks Sell about the previewed records, and says before how many calls that takes. */
import type { Config } from "../config/spec.ts";
import { ConnectorError } from "../domain/errors.ts";
import { systemClock } from "../lib/clock.ts";
import { countText } from "../lib/numbers.ts";
import { systemRandom } from "../lib/random.ts";
import type { Previewed } from "../preview/preview.ts";
import type { KafkaConnection } from "../source/connect-kafka.ts";
import type { InSell } from "./preview-print.ts";
import { progressOf } from "./progress.ts";
import type { Terminal } from "./terminal.ts";
import { version } from "./version.ts";
import { waiting } from "./waiting.ts";

export interface Asking {
  readonly previewed: Previewed;
  readonly config: Config;
  readonly isJson: boolean;
  /** Null: the records are from a file. */
  readonly kafka: KafkaConnection | null;
  readonly terminal: Terminal;
}

/** What Sell holds of the records now. */
export const askedOf = async (
  { previewed, config, isJson, kafka, terminal }: Asking,
  signal: AbortSignal,
): Promise<InSell> => {
  // Loaded only here: without --online nobody pays for the clients of Redis and Sell.
  const { comparisonsOf, questionsOf } = await import("../preview/in-sell.ts");
  const { askSell } = await import("../wiring/ask-sell.ts");
  const { records, calls, isLeast } = questionsOf(previewed.records);
  if (records.length === 0) return new Map();
  const waitMs = kafka === null ? 0 : await standing(config, kafka, signal);
  if (kafka === null && config.redis === undefined) terminal.err(ALONE);
  terminal.err(`Asking Sell takes ${isLeast ? "at least " : ""}${countText(calls)} calls of the quota.\n`);
  const progress = await progressOf(isJson, terminal);
  const deps = { clock: systemClock, random: systemRandom, emit: waiting(terminal), version, waitMs };
  return progress.step("Records in Sell", async ({ tell }) => {
    await using asked = await askSell(config, deps, signal);
    const told = (answered: number): void => tell(`${countText(answered)} of ${countText(records.length)}`);
    return await comparisonsOf(previewed.records, asked, told, signal);
  });
};

const ALONE = "Without redis in the configuration nobody shares the quota: no connector may run meanwhile.\n";

/** What is left of a wait that Sell asked for. Rejects where a replica runs whose quota cannot be shared. */
const standing = async (config: Config, { admin }: KafkaConnection, signal: AbortSignal): Promise<number> => {
  const { toldWaitMs } = await import("../wiring/told-wait.ts");
  const { groupId } = config.kafka;
  if (config.redis === undefined && (await admin.members(groupId)).length > 0)
    throw new ConnectorError(
      "GROUP_RUNS",
      `The group ${groupId} has members, and without redis their quota cannot be shared: stop them, or leave out --online.`,
      { retriable: false },
    );
  return toldWaitMs(config, admin, systemClock, signal);
};
