/** SIGTERM, SIGINT, and SIGPIPE when nobody reads the output any more: the first asks for an orderly stop, the second ends the process at once. */
import { type Clock, systemClock } from "../lib/clock.ts";
import { exitOf } from "./exit.ts";

export interface StopSignals extends Disposable {
  /** Aborted by the first signal, with its name as the reason. */
  readonly signal: AbortSignal;
}

/** `source` is the process; `exit` ends it. */
export const stopSignals = (
  source: Pick<NodeJS.EventEmitter, "on" | "off">,
  exit: (code: number) => void,
  clock: Pick<Clock, "monotonicMs"> = systemClock,
): StopSignals => {
  const controller = new AbortController();
  let firstMs = 0;
  const onSignal = (name: string): void => {
    if (!controller.signal.aborted) {
      firstMs = clock.monotonicMs();
      controller.abort(name);
    } else if (clock.monotonicMs() - firstMs > ECHO_MS) exit(exitOf(name));
  };
  for (const name of NAMES) source.on(name, onSignal);
  return {
    signal: controller.signal,
    [Symbol.dispose]: () => {
      for (const name of NAMES) source.off(name, onSignal);
    },
  };
};

/** On a terminal npm forwards the Ctrl-C that its child gets anyway: the second within this time is the same one. */
const ECHO_MS = 300;

const NAMES = ["SIGTERM", "SIGINT", "SIGPIPE"];
