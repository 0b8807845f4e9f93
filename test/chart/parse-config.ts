/** The connector's own reading of a configuration file, with every secret that it may name. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadConfig } from "../../src/config/load.ts";
import { problemLines } from "../../src/config/problem.ts";

const ENV = { SELL_TOKEN: "t", REDIS_URL: "redis://redis:6379", KAFKA_SASL_USERNAME: "u" };

/** Its problems, in lines. */
export const parseConfigText = (text: string): readonly string[] => {
  const folder = mkdtempSync(join(tmpdir(), "sell-sink-config-"));
  try {
    // Secrets and certificates lie elsewhere here.
    for (const [, name = ""] of text.matchAll(/\/run\/secrets\/sell-sink\/(\S+)/g)) {
      writeFileSync(join(folder, name), "secret");
    }
    const file = join(folder, "config.yaml");
    writeFileSync(file, text.replaceAll("/run/secrets/sell-sink", folder));
    const loaded = loadConfig(file, ENV);
    return loaded.status === "ok" ? [] : problemLines(loaded.problems);
  } finally {
    rmSync(folder, { recursive: true });
  }
};
