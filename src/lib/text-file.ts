/** A file that somebody named on the command line. */
import { readFileSync } from "node:fs";
import { errorText, usageError } from "../domain/errors.ts";

/** Its text in UTF-8. Throws ConnectorError `USAGE`. */
export const textOfFile = (file: string): string => {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    throw usageError(`${file} cannot be read: ${errorText(cause)}.`, cause);
  }
};
