/** The version of this package, the one place where it stands. */
import { readFileSync } from "node:fs";

// The same distance from `src/cli` in a checkout and from `dist/cli` in the published package.
const manifest: unknown = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));

export const version =
  typeof manifest === "object" && manifest !== null && "version" in manifest ? String(manifest.version) : "unknown";
