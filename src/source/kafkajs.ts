/**
 * The only import of kafkajs: the client with its codecs, and three repairs that lean on the inside of exactly this version.
 * 2.2.4 is the last release and is unmaintained; everything else in the connector meets it through this folder's ports.
 */
import { createRequire } from "node:module";
import kafkajs from "kafkajs";
import { codecs } from "./codecs.ts";
import { keepWireHeaders } from "./wire-headers.ts";

const PATCHED_VERSION = "2.2.4";

const require = createRequire(import.meta.url);

/** Throws a sentence for the maintainer who upgrades kafkajs. */
export const assertPatchedVersion = (version: string): void => {
  if (version === PATCHED_VERSION) return;
  throw new Error(
    `kafkajs ${version} is installed, but src/source patches the inside of ${PATCHED_VERSION}: ` +
      "read the patches in kafkajs.ts, wire-headers.ts and assigner.ts against the new source, then change PATCHED_VERSION.",
  );
};

/**
 * Each connection re-arms a timer for its empty request queue, by a delay that is negative: 4,000 timers a second when idle
 * (https://github.com/tulios/kafkajs/issues/1556). Whoever queues a request arms the timer itself, so an empty queue needs none.
 */
const stopIdleTimers = (): void => {
  const RequestQueue = require("kafkajs/src/network/requestQueue") as { prototype: RequestQueueInside };
  const schedule = RequestQueue.prototype.scheduleCheckPendingRequests;
  RequestQueue.prototype.scheduleCheckPendingRequests = function () {
    if (this.pending.length > 0) schedule.call(this);
  };
};

interface RequestQueueInside {
  readonly pending: readonly unknown[];
  scheduleCheckPendingRequests(): void;
}

assertPatchedVersion((require("kafkajs/package.json") as { version: string }).version);
stopIdleTimers();
keepWireHeaders(require("kafkajs/src/protocol/encoder"), require("kafkajs/src/protocol/decoder"));
Object.assign(kafkajs.CompressionCodecs, codecs(kafkajs.CompressionTypes));

// By destructuring: half of these names are typed but missing as named exports
// (https://github.com/tulios/kafkajs/issues/1391).
export const { Kafka, AssignerProtocol, CompressionTypes, ConfigResourceTypes, Partitioners, logLevel } = kafkajs;
