/**
 * Writes what users read about the configuration, from the one place where it is declared: `config/reference.md`,
 * `config/schema.json`, and the schema and README of the Helm chart. With `--check` it writes nothing and fails when a file
 * is stale.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { z } from "zod";
import { chartReadme, chartSchema } from "./chart.ts";
import { referenceOf } from "./reference.ts";
import type { SchemaNode } from "./schema-node.ts";
import { configSchema } from "./spec.ts";

/** Draft 7: what editors and Helm understand. */
export const jsonSchema = (): object => ({
  title: "sell-sink configuration",
  ...z.toJSONSchema(configSchema, { io: "input", target: "draft-7", unrepresentable: "any" }),
});

export const generatedFiles = (): Readonly<Record<string, string>> => {
  const config = jsonSchema() as SchemaNode;
  const values = chartSchema(config);
  return {
    "config/reference.md": referenceOf(config),
    "config/schema.json": json(config),
    "deploy/helm/values.schema.json": json(values),
    "deploy/helm/README.md": chartReadme(readFileSync(fileUrl("deploy/helm/README.md"), "utf8"), values),
  };
};

const json = (value: object): string => `${JSON.stringify(value, null, 2)}\n`;

const fileUrl = (name: string): URL => new URL(`../../${name}`, import.meta.url);

const isFresh = ([name, text]: readonly [string, string]): boolean => {
  try {
    return readFileSync(fileUrl(name), "utf8") === text;
  } catch {
    return false;
  }
};

if (import.meta.main) {
  const stale = Object.entries(generatedFiles()).filter((file) => !isFresh(file));
  if (!process.argv.includes("--check")) {
    for (const [name, text] of stale) writeFileSync(fileUrl(name), text);
  } else if (stale.length > 0) {
    process.stderr.write(`stale: ${stale.map(([name]) => name).join(", ")}; run npm run docs\n`);
    process.exitCode = 1;
  }
}
