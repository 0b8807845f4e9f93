import { createRequire } from "node:module";
import { describe, expect, it } from "vitest";
import { assertPatchedVersion, CompressionTypes, Kafka } from "../../../src/source/kafkajs.ts";

describe("the patched client", () => {
  it("fails with the next step when kafkajs has another version", () => {
    expect(() => assertPatchedVersion("2.2.5")).toThrow(/2\.2\.5 is installed.*PATCHED_VERSION/);
  });

  it("arms no timer for a connection without waiting requests", () => {
    const RequestQueue = createRequire(import.meta.url)("kafkajs/src/network/requestQueue");
    const queue = new RequestQueue({ logger: { debug: () => {} } });
    queue.scheduleCheckPendingRequests();
    expect(queue.throttleCheckTimeoutId).toBeNull();
    queue.pending.push({});
    queue.scheduleCheckPendingRequests();
    expect(queue.throttleCheckTimeoutId).not.toBeNull();
    queue.destroy();
  });

  it("is loaded with everything that only the default import has", () => {
    expect(Kafka).toBeTypeOf("function");
    expect(CompressionTypes.ZSTD).toBe(4);
  });
});
