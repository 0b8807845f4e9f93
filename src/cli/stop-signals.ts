/** SIGTERM and SIGINT: the first asks for an orderly stop, the second ends the process at once. */
import { EXIT } from "./exit.ts";

export interface StopSignals extends Disposable {
  /** Aborted by the first signal, with its name as the reason. */
  readonly signal: AbortSignal;
}

/** `source` is the process; `exit` ends it. */
export const stopSignals = (
  source: Pick<NodeJS.EventEmitter, "on" | "off">,
  exit: (code: number) => void,
): StopSignals => {
  const controller = new AbortController();
  const onSignal = (name: string): void => {
    if (controller.signal.aborted) exit(EXIT.failed);
    else controller.abort(name);
  };
  for (const name of NAMES) source.on(name, onSignal);
  return {
    signal: controller.signal,
    [Symbol.dispose]: () => {
      for (const name of NAMES) source.off(name, onSignal);
    },
  };
};

const NAMES = ["SIGTERM", "SIGINT"];
