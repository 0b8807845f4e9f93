/** Names that JavaScript gives a meaning of its own are names like any other, wherever they come from: S11. */
import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, describe, expect, test } from "vitest";
import { loadConfig } from "../../../src/config/load.ts";
import { schemaFault } from "../../../src/decode/schema-fault.ts";
import { parseJson } from "../../../src/deliver/call.ts";
import { explain, parseErrors } from "../../../src/deliver/sell-errors.ts";
import { compileExpression } from "../../../src/map/field.ts";
import { Misfit } from "../../../src/map/value.ts";

const NAMES = ["__proto__", "constructor", "prototype", "toString", "valueOf", "hasOwnProperty", "__defineGetter__"];

afterEach(() => {
  expect(Object.keys(Object.prototype)).toEqual([]);
  expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
});

describe.each(NAMES)("%s", (name) => {
  test("as Sell's code of an error is told as it is", () => {
    const errors = parseErrors(JSON.stringify({ errors: [{ error: { code: name, field: name } }] }));
    expect(explain(422, errors)).not.toMatch(/native code|\[object|undefined/);
  });

  test("as a registry's kind of schema is an unknown kind", () => {
    const use = { topic: "t", part: "value", expects: "AVRO", recordTimestampMs: 0 } as const;
    const { message } = schemaFault({ status: "other-kind", kind: name, subject: null }, 7, use, "http://registry");
    expect(message).toContain("The values of t are of an unknown kind");
    expect(message).not.toMatch(/native code/);
  });

  test("as a value of a row is in no lookup that does not list it", () => {
    const look = compileExpression({ from: "a", values: { x: "y" }, write: "always" });
    expect(look(Object.assign(Object.create(null), { a: name }))).toBeInstanceOf(Misfit);
    const value = look(Object.assign(Object.create(null), { a: "x" }));
    expect(value).toBe("y");
  });

  test("as a member of a reply reaches nothing but the reply", () => {
    parseJson(`{"${name}": {"polluted": true}, "data": {"${name}": {"polluted": true}}}`);
  });

  test("as a setting is refused like any other unknown one", () => {
    const file = join(tmpdir(), `sell-sink-poison-${process.pid}.yaml`);
    writeFileSync(file, `sell: { token: abc, ${name}: { polluted: true } }\n${name}: { polluted: true }\n`);
    const loaded = loadConfig(file, {});
    expect(loaded.status).toBe("refused");
    if (loaded.status === "refused")
      expect(loaded.problems.filter(({ path }) => path.endsWith(name)).length).toBeGreaterThan(0);
  });
});

test("the command takes the way to every prototype away, as the image's Node does", async () => {
  const program = new URL("../../../src/cli/sell-sink.mjs", import.meta.url).href;
  const script = `
    process.on("exit", () => console.log("__proto__" in {}));
    process.argv = ["node", "sell-sink", "--version"];
    await import(${JSON.stringify(program)});`;
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", script]);
  expect(stdout).toMatch(/\nfalse\n$/);
});
