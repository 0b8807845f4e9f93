/** `npm run demo` on a fresh clone: installs the packages if need be, then runs `sell-sink demo`. */
import { endWithNpm, installPackages } from "./bootstrap.mjs";

endWithNpm();
const code = await installPackages();
if (code === 0) {
  process.argv.splice(2, 0, "demo");
  await import("./sell-sink.mjs");
} else {
  process.exitCode = code;
}
