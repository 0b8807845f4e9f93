#!/usr/bin/env node
/**
 * The `sell-sink` command. Plain JavaScript that an old Node can read too: it finds a Node that can run the rest, which
 * is TypeScript in a checkout (`../main.ts`) and compiled in the published package (`../main.js`).
 */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { findNode, run } from "./bootstrap.mjs";

// As in the container, which starts Node with --disable-proto=delete: what a record or a server says reaches no prototype.
delete Object.prototype.__proto__;

const start = async () => {
  const node = findNode();
  if (node !== process.execPath) return run(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)]);
  const { main } = await import(existsSync(new URL("../main.ts", import.meta.url)) ? "../main.ts" : "../main.js");
  return main(process.argv);
};

try {
  process.exit(await start());
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 2;
}
