#!/usr/bin/env node
/**
 * The `sell-sink` command. Plain JavaScript that an old Node can read too: it finds a Node that can run the rest, which
 * is TypeScript in a checkout (`../main.ts`) and compiled in the published package (`../main.js`).
 */
import { existsSync } from "node:fs";
import module from "node:module";
import { fileURLToPath } from "node:url";
import { findNode, run } from "./bootstrap.mjs";

// As in the container, which starts Node with --disable-proto=delete: what a record or a server says reaches no prototype.
delete Object.prototype.__proto__;

const start = async () => {
  const node = findNode();
  if (node !== process.execPath) return run(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)]);
  const isCheckout = existsSync(new URL("../main.ts", import.meta.url));
  // What Node makes of the TypeScript is kept: a later start takes half the time and 30 MiB less.
  if (isCheckout)
    module.enableCompileCache(fileURLToPath(new URL("../../node_modules/.cache/sell-sink", import.meta.url)));
  const { main } = await import(isCheckout ? "../main.ts" : "../main.js");
  return main(process.argv);
};

try {
  process.exit(await start());
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 2;
}
