/** The sandbox in a process of its own, so that its CPU time is not the connector's. */
import { systemClock } from "../../src/lib/clock.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { startSandbox } from "../../src/sandbox/index.ts";

const sandbox = await startSandbox({ rate: { profile: "none" } }, { clock: systemClock, random: systemRandom });
process.send?.(sandbox.url);
