/** Lets timers, sockets and signals have their turn in a long computation. */
import { setImmediate } from "node:timers/promises";

export const turnOfTheLoop = (): Promise<void> => setImmediate();
