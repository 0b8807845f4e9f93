/** A question before something is done that somebody may not have meant. */
import { createInterface } from "node:readline/promises";

/** Null where nobody can be asked. The question and its answer go by stderr and stdin; anything but y or yes is a no. */
export const confirmed = async (question: string, signal: AbortSignal): Promise<boolean | null> => {
  const { stdin, stderr } = process;
  if (stdin.isTTY !== true || stderr.isTTY !== true) return null;
  const lines = createInterface({ input: stdin, output: stderr });
  try {
    return /^y(es)?$/i.test((await lines.question(`${question} [y/N] `, { signal })).trim());
  } finally {
    lines.close();
  }
};
