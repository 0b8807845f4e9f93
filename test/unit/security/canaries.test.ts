/** No secret of a configuration comes out of what is printed about it: S01, S02, S04, S21. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { masked, secretValues } from "../../../src/config/secrets.ts";
import { scrubbed } from "../../../src/telemetry/text.ts";
import { CANARIES, canaryConfigs, disguises, leaksIn, USER } from "../../support/canaries.ts";
import { runCli } from "../../support/run-cli.ts";

const CLOSED = "127.0.0.1:1";
const CONFIGS = canaryConfigs(CLOSED);

const folder = mkdtempSync(join(tmpdir(), "sell-sink-canaries-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const fileOf = (config: unknown, name = "config.yaml"): string => {
  const file = join(folder, name);
  writeFileSync(file, typeof config === "string" ? config : JSON.stringify(config));
  return file;
};

/** Every text of a structure, with the way to it. */
const textsOf = (value: unknown, path: readonly string[] = []): readonly (readonly [path: string[], text: string])[] =>
  typeof value === "object" && value !== null
    ? Object.entries(value).flatMap(([name, inner]) => textsOf(inner, [...path, name]))
    : [[[...path], String(value)]];

const replaced = (value: unknown, [name, ...rest]: readonly string[], by: unknown): unknown => {
  if (name === undefined) return by;
  const copy = structuredClone(value) as Record<string, unknown>;
  copy[name] = replaced(copy[name], rest, by);
  return copy;
};

/** Sent as a password of the user. */
const behindAName = new Set<string>(
  (
    [
      ...["sell.proxy", "kafka.sasl.password", "kafka.sasl.clientSecret", "redis.url", "redis.password"],
      ...["schemaRegistry.password", "schemaRegistry.url", "schemaRegistry.oauth.clientSecret"],
    ] as const
  ).map((name) => CANARIES[name as keyof typeof CANARIES]),
);

const PLACES = Object.entries(CONFIGS).flatMap(([kind, config]) =>
  textsOf(config)
    .filter(([, text]) => leaksIn(text).length > 0)
    .map(([path, text]) => ({ kind, config, path, text, name: path.join(".") })),
);

test("every canary is planted and found, in every disguise", () => {
  const planted = leaksIn(JSON.stringify(CONFIGS));
  expect(planted.toSorted()).toEqual(
    Object.keys(CANARIES)
      .filter((name) => name !== "schemaRegistry.token")
      .toSorted(),
  );
  for (const [name, secret] of Object.entries(CANARIES))
    for (const form of disguises(secret)) expect(leaksIn(`x${form}y`)).toEqual([name]);
});

describe.each(Object.entries(CONFIGS))("a configuration with %s", (kind, config) => {
  const file = () => fileOf(config, `${kind}.yaml`);

  test.each([[], ["--print"], ["--json"]])("is valid, and shown without them by validate %s", async (...flags) => {
    const { code, out, err } = await runCli(["validate", "--config", file(), ...flags]);
    expect({ code, leaks: leaksIn(out + err), err }).toMatchObject({ code: 0, leaks: [] });
    if (flags.length > 0) expect(out).toContain("***");
  });

  test("is masked, and every secret in it is known for scrubbing", () => {
    expect(leaksIn(JSON.stringify(masked(config)))).toEqual([]);
    const secrets = secretValues(config, () => "");
    const planted = leaksIn(JSON.stringify(config)).map((name) => CANARIES[name as keyof typeof CANARIES]);
    for (const secret of planted) expect(secrets).toContain(secret);
    const said = planted.flatMap((secret) => [
      secret,
      encodeURIComponent(secret),
      Buffer.from(secret).toString("base64"),
      ...(behindAName.has(secret) ? [Buffer.from(`${USER}:${secret}`).toString("base64")] : []),
    ]);
    expect(leaksIn(scrubbed(said.join(" "), secrets))).toEqual([]);
  });
});

describe("a mistake in the place of a secret is told without it", () => {
  const asked = async (config: unknown) => {
    const { code, out, err } = await runCli(["validate", "--config", fileOf(config)]);
    return { code, leaks: leaksIn(out + err) };
  };

  test.each(PLACES)("$kind: $name", async ({ config, path, text }) => {
    const name = path.at(-1) ?? "";
    const refused = { code: 2, leaks: [] };
    expect(await asked(replaced(config, path, [text]))).toEqual(refused);
    expect(await asked(replaced(config, path, { [name]: text }))).toEqual(refused);
    expect(await asked(replaced(config, [...path.slice(0, 1), "timeoutMs"], text))).toEqual(refused);
    // Taken or not, it is not repeated.
    const perhaps = { code: expect.any(Number), leaks: [] };
    expect(await asked(replaced(config, [...path.slice(0, -1), `${name}x`], text))).toEqual(perhaps);
    expect(await asked(replaced(config, path, `${text}\n\u0007`))).toEqual(perhaps);
  });

  test.each([
    ["text without an end", `sell: { token: "${CANARIES["sell.token"]}\nkafka: {}`],
    ["a bad indent", `sell:\n  token: ${CANARIES["sell.token"]}\n bad: 1\n`],
    ["a key that stands twice", `sell: { token: ${CANARIES["sell.token"]}, token: ${CANARIES["sell.headers"]} }`],
    ["a URL that is none", `redis: { url: "redis//${USER}:${CANARIES["redis.url"]}@host" }\nsell: { token: x }`],
    ["a secret as a variable's name", `sell: { token: "\${cn4ry}", proxy: "${CANARIES["sell.proxy"]}" }`],
    ["a secret as a file", `sell: { token: "file:/nowhere", headers: { a: "${CANARIES["sell.headers"]}\u0001" } }`],
  ])("YAML with %s", async (_, text) => expect(await asked(text)).toEqual({ code: 2, leaks: [] }));
});

describe("where nobody answers, no command says a secret", () => {
  test.each([["lag"], ["quota"]])("%s", async (command) => {
    const { code, out, err } = await runCli([command, "--admin", `http://${CLOSED}`, "--every", "1"]);
    expect([code, leaksIn(out + err)]).toEqual([1, []]);
  });

  test.each([["lag"], ["quota"]])("%s takes no password in an address, and does not repeat it", async (command) => {
    const admin = `http://${USER}:${encodeURIComponent(CANARIES["sell.proxy"])}@${CLOSED}`;
    const { code, out, err } = await runCli([command, "--admin", admin]);
    expect([code, leaksIn(out + err), err]).toEqual([2, [], expect.stringContaining("takes no user and password")]);
  });
});

describe("a password in a URL that nobody encoded", () => {
  // Its first part is read as a port, the rest as path, query or fragment, which are shown.
  test.each([["/"], ["?"], ["#"], ["/@"], ["%"]])(
    "with %s in it is refused with the way out, and not shown",
    async (mark) => {
      const [CANARY, url] = [
        "cn4ry-not-encoded",
        (scheme: string) => `${scheme}://${USER}:12${mark}cn4ry-not-encoded@${CLOSED}`,
      ];
      const config = {
        ...CONFIGS.passwords,
        redis: { url: url("redis") },
        schemaRegistry: { url: url("http") },
        sell: { token: CANARIES["sell.token"], proxy: url("http") },
      };
      for (const flags of [[], ["--print"], ["--json"]]) {
        const { code, out, err } = await runCli(["validate", "--config", fileOf(config), ...flags]);
        expect([code, out + err]).toEqual([2, expect.not.stringContaining(CANARY)]);
        for (const setting of ["redis.url", "schemaRegistry.url", "sell.proxy"]) expect(err).toMatch(`${setting} `);
        expect(err).toContain("write / as %2F");
      }
      expect(JSON.stringify(masked(config))).not.toContain(CANARY);
    },
  );
});

test("an API key that stands alone before the @ of a URL is a secret like a password", () => {
  const secrets = secretValues({ url: "https://cn4ry-key@registry" }, () => "");
  expect(secrets).toEqual(["cn4ry-key"]);
});

test("a secret of a file is known as it stands there now", () => {
  const config = { sell: { token: "file:/run/secrets/t" }, schemaRegistry: { password: "file:/gone", token: "x" } };
  const secrets = secretValues(config, (path) => {
    if (path === "/gone") throw new Error("ENOENT");
    return `${CANARIES["sell.token"]}\n`;
  });
  expect(secrets).toEqual([CANARIES["sell.token"]]);
});

test.each([
  ["redis://u:p@ss@host:6379/0", "redis://***@host:6379/0"],
  ["https://idp/token?key=secret&b=c", "https://idp/token?***"],
  ["https://plain:8443/path", "https://plain:8443/path"],
])("%s is shown as %s", (url, shown) => expect(masked(url)).toBe(shown));

test("no option of any command takes a secret: whoever may list processes would read it", () => {
  const cli = new URL("../../../src/cli/", import.meta.url);
  const sources = readdirSync(cli).map((name) => readFileSync(new URL(name, cli), "utf8"));
  const options = sources.flatMap((source) =>
    [...source.matchAll(/[oO]ption\(\s*"([^"]+)"/g)].map(([, text = ""]) => text),
  );
  expect(options.length).toBeGreaterThan(20);
  expect(options.filter((text) => /token|password|secret|credential/i.test(text))).toEqual([]);
});
