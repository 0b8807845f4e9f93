import { expect, test } from "vitest";
import { generatedFiles } from "../../../src/config/generate.ts";
import { configSchema } from "../../../src/config/spec.ts";

const files = generatedFiles();

test("the reference tells every section and what it is for", () => {
  const reference = files["config/reference.md"] ?? "";
  for (const name of Object.keys(configSchema.shape)) expect(reference).toContain(`## ${name}\n`);
  expect(reference).toContain("| `maxItems` | integer 1 to 50 | `50` | Most records in one bulk request");
  expect(reference).toMatch(/\| `sasl\.mechanism` \| `plain` or .*`oauthbearer`/);
});

test("every setting in the reference says what it means", () => {
  const silent = (files["config/reference.md"] ?? "").split("\n").filter((line) => /^\| `.*\|\s+\|$/.test(line));
  expect(silent).toEqual([]);
});

test("no section takes a setting that is not declared, however deep", () => {
  const open: string[] = [];
  const visit = (node: unknown, path: string): void => {
    if (typeof node !== "object" || node === null) return;
    if ("properties" in node && (node as { additionalProperties?: unknown }).additionalProperties !== false)
      open.push(path);
    for (const [name, inner] of Object.entries(node)) visit(inner, `${path}/${name}`);
  };
  visit(JSON.parse(files["config/schema.json"] ?? ""), "");
  expect(open).toEqual([]);
});

test("the JSON schema is draft 7, closed, and asks for no setting that has a default", () => {
  const schema = JSON.parse(files["config/schema.json"] ?? "");
  expect(schema.$schema).toContain("draft-07");
  expect(schema.additionalProperties).toBe(false);
  expect(schema.required.toSorted()).toEqual(["deadLetter", "kafka", "routes", "sell"]);
});
