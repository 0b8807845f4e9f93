/** Commands that judge records as the connector would, at a desk with Kafka, the registry and what Redis remembers. */
import type { Config } from "../config/spec.ts";
import { systemClock } from "../lib/clock.ts";
import { systemRandom } from "../lib/random.ts";
import type { Desk } from "../replay/desk.ts";
import { readConfig } from "./config-file.ts";
import { EXIT } from "./exit.ts";
import { interruptible } from "./interruptible.ts";
import type { Terminal } from "./terminal.ts";
import { waiting } from "./waiting.ts";

export interface AtDesk {
  readonly desk: Desk;
  readonly config: Config;
  readonly terminal: Terminal;
  readonly signal: AbortSignal;
}

/** What it waits for is said on stderr. */
export const atDesk = async (
  configFile: string,
  terminal: Terminal,
  work: (context: AtDesk) => Promise<number>,
): Promise<number> => {
  const config = readConfig(configFile, terminal);
  if (config === null) return EXIT.usage;
  const emit = waiting(terminal);
  return interruptible(terminal, async (signal) => {
    // Loaded only here: no other command pays for the clients of Kafka and Redis.
    const { openDesk } = await import("../replay/desk.ts");
    await using desk = await openDesk(config, { clock: systemClock, random: systemRandom, emit }, signal);
    return await work({ desk, config, terminal, signal });
  });
};
