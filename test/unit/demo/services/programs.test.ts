import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { withDefaults } from "../../../../src/demo/services/options.ts";
import { ensurePrograms } from "../../../../src/demo/services/programs.ts";

/** A machine whose only programs are these shell scripts; each may write into `$BIN`. */
const aMachine = (scripts: Readonly<Record<string, string>>) => {
  const bin = mkdtempSync(join(tmpdir(), "sell-sink-unit-"));
  onTestFinished(() => rmSync(bin, { recursive: true }));
  for (const [name, script] of Object.entries(scripts)) {
    writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`);
    chmodSync(join(bin, name), 0o755);
  }
  const said: string[] = [];
  return { said, context: withDefaults({ env: { PATH: bin, BIN: bin }, say: (line) => void said.push(line) }) };
};

test("a missing program is named with the ways to get it", async () => {
  const { context } = aMachine({});
  await expect(ensurePrograms(["redis-server"], context)).rejects.toThrow(
    /^Not found: redis-server\. .*apt-get install redis-server.*brew install redis.*SELL_SINK_REDIS/,
  );
});

test("an old Java is as good as none", async () => {
  const { context } = aMachine({ java: `echo 'openjdk version "11.0.22" 2024-01-16' >&2` });
  await expect(ensurePrograms(["java"], context)).rejects.toThrow(/Java 17 or newer/);
});

test("a new Java is found", async () => {
  const { context } = aMachine({ java: `echo 'openjdk version "21.0.2" 2024-01-16' >&2` });
  await ensurePrograms(["java"], context);
});

test.runIf(process.getuid?.() === 0)("root on Debian gets what is missing, and is told", async () => {
  const install = `for last; do :; done; [ "$last" = maven ] && /bin/ln -s /bin/true "$BIN/mvn"; exit 0`;
  const { said, context } = aMachine({ "apt-get": install });
  await ensurePrograms(["mvn"], context);
  expect(said).toEqual(["Installing maven with apt-get ..."]);
});

test("an installation that fails says what apt-get said", async () => {
  const { context } = aMachine({ "apt-get": "echo 'E: Unable to fetch some archives' >&2; exit 100" });
  await expect(ensurePrograms(["mvn"], context)).rejects.toThrow(
    process.getuid?.() === 0 ? /"apt-get .*" failed\. It said:\n {2}E: Unable to fetch/ : /Not found: Maven/,
  );
});
