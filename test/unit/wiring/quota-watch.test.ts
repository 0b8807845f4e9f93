import { mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { rereadConfig } from "../../../src/config/reread.ts";
import { type QuotaConfig, quotaConfig } from "../../../src/gate/config.ts";
import { watchQuota } from "../../../src/wiring/quota-watch.ts";
import { FakeClock } from "../../support/fake-clock.ts";

const aConfig = (quota: string): string => `
kafka: { brokers: ["k:9092"], groupId: g }
redis: { url: "redis://r:6379" }
sell: { token: t, keyField: erp_id }
deadLetter: { topic: dead }
quota: ${quota}
routes: [{ topic: t, format: json, entity: accounts, key: id, fields: { name: name } }]
`;

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A mounted file as Kubernetes changes it: what is read is a link to a folder that is exchanged. */
const watched = () => {
  const folder = mkdtempSync(join(tmpdir(), "sell-sink-quota-"));
  const clock = new FakeClock();
  const adjusted: QuotaConfig[] = [];
  const refused: unknown[] = [];
  const stop = new AbortController();
  let version = 0;
  const write = (quota: string): void => {
    const file = join(folder, `v${++version}.yaml`);
    writeFileSync(file, aConfig(quota));
    symlinkSync(file, join(folder, "next"));
    renameSync(join(folder, "next"), join(folder, "config.yaml"));
  };
  write("{ profile: customer }");
  const reread = rereadConfig(join(folder, "config.yaml"), {});
  const deps = { clock, emit: (_: string, fields: unknown) => void refused.push(fields) };
  const watch = watchQuota(
    quotaConfig.parse({ profile: "customer" }),
    reread,
    (quota) => adjusted.push(quota),
    deps,
    stop.signal,
  );
  onTestFinished(async () => {
    stop.abort();
    await watch;
    rmSync(folder, { recursive: true });
  });
  const pass = async (): Promise<void> => {
    clock.advance(2_000);
    await settle();
  };
  return { adjusted, refused, write, pass, folder };
};

test("a raised limit is taken up, once", async () => {
  const { adjusted, write, pass } = watched();
  await pass();
  expect(adjusted).toEqual([]);
  write("{ windows: [{ limit: 400, perMs: 60000 }] }");
  for (let n = 0; n < 3; n++) await pass();
  expect(adjusted).toMatchObject([{ windows: [{ limit: 400 }] }]);
});

test("a faulty file is said once and changes nothing, nor does one that is away for a moment", async () => {
  const { adjusted, refused, write, pass, folder } = watched();
  write("{ reserve: 200 }");
  for (let n = 0; n < 3; n++) await pass();
  expect(refused).toEqual([{ cause: expect.stringContaining("leaves 0 calls") }]);
  rmSync(join(folder, "config.yaml"));
  await pass();
  write("{ profile: customer }");
  await pass();
  expect(adjusted).toEqual([]);
  expect(refused).toHaveLength(1);
});
