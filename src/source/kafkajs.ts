/**
 * The only import of kafkajs: the client with its codecs, and what leans on the inside of exactly this version.
 * 2.2.4 is the last release and is unmaintained; everything else in the connector meets it through this folder's ports.
 */
import { createRequire } from "node:module";
import kafkajs, { type KafkaMessage } from "kafkajs";
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

/** A partition's part of a FetchResponse. */
export interface FetchedPartition {
  readonly partition: number;
  readonly messages: readonly KafkaMessage[];
}

interface BatchInside {
  readonly messages: readonly KafkaMessage[];
}

const Batch = require("kafkajs/src/consumer/batch") as new (
  topic: string,
  fetchedOffset: string,
  fetched: FetchedPartition,
) => BatchInside;

/** What a consumer would see of it: from the asked offset on, without control records and aborted transactions. */
export const visibleMessages = (topic: string, offset: string, fetched: FetchedPartition): readonly KafkaMessage[] =>
  new Batch(topic, offset, fetched).messages;

// By destructuring: half of these names are typed but missing as named exports
// (https://github.com/tulios/kafkajs/issues/1391).
export const { Kafka, AssignerProtocol, CompressionTypes, ConfigResourceTypes, Partitioners, logLevel } = kafkajs;
