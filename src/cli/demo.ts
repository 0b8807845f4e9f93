/** `sell-sink demo`: the whole way of a change, on services it finds or starts itself. */
import { ConnectorError } from "../domain/errors.ts";
import type { Register } from "./register.ts";

export const demoCommand: Register = (program) => {
  program
    .command("demo")
    .description("see it work, on services it finds or starts itself")
    .action(() => {
      throw new ConnectorError("USAGE", "The demo is not part of this build yet.", { retriable: false });
    });
};
