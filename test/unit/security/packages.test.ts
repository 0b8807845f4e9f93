/** The packages: what the lock file pins, and what may be in it at all: S12, S13, S14. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "../../..");
const json = (name: string) => JSON.parse(readFileSync(join(ROOT, name), "utf8"));

interface Locked {
  readonly version: string;
  readonly resolved?: string;
  readonly integrity?: string;
  readonly license?: string;
  readonly dev?: true;
  readonly devOptional?: true;
  readonly hasInstallScript?: true;
  readonly inBundle?: true;
}

const manifest: Readonly<Record<string, Readonly<Record<string, string>>>> = json("package.json");
const lock: { readonly lockfileVersion: number; readonly packages: Readonly<Record<string, Locked>> } =
  json("package-lock.json");
const packages = Object.entries(lock.packages)
  .filter(([path]) => path !== "")
  .map(([path, locked]) => ({
    path,
    name: path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length),
    ...locked,
  }));
const shipped = packages.filter(({ dev, devOptional }) => !dev && !devOptional);

test("every package is pinned to one version with its digest, at no address and at no other source", () => {
  expect(lock.lockfileVersion).toBe(3);
  expect(packages.length).toBeGreaterThan(200);
  expect(packages.filter(({ integrity }) => !/^sha512-[A-Za-z0-9+/]{86}==$/.test(integrity ?? ""))).toEqual([]);
  // An address would tie the lock file to one registry, and let another one be slipped in.
  expect(packages.filter(({ resolved }) => resolved !== undefined)).toEqual([]);
});

test("package.json names exact versions, and the lock file has just these", () => {
  for (const group of ["dependencies", "devDependencies", "optionalDependencies"]) {
    for (const [name, version] of Object.entries(manifest[group] ?? {})) {
      expect(version, name).toMatch(/^\d+\.\d+\.\d+$/);
      expect(lock.packages[`node_modules/${name}`]?.version, name).toBe(version);
    }
  }
});

/** protobufjs (of the registry's client) warns of old versions; the others build native parts of testcontainers. We need none. */
const INSTALL_SCRIPTS = ["cpu-features", "protobufjs", "ssh2"];

test("only known packages would run a script when they are installed, and the image runs none", () => {
  expect(readFileSync(join(ROOT, "Dockerfile"), "utf8")).toContain("npm ci --omit=dev --ignore-scripts");
  const scripted = packages.filter(({ hasInstallScript }) => hasInstallScript).map(({ name }) => name);
  expect(scripted.filter((name) => !INSTALL_SCRIPTS.includes(name))).toEqual([]);
});

/** Named in its text, not in its manifest. */
const LICENSED: Readonly<Record<string, string>> = { "@kafkajs/confluent-schema-registry": "MIT" };
/** Permissive ones, which ask for nothing but their text. */
const LICENCES = ["0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "BlueOak-1.0.0", "ISC", "MIT"];

test("what ships is under a permissive licence", () => {
  const licences = shipped.map(({ name, license = LICENSED[name] ?? "none" }) => [name, license] as const);
  expect(licences.filter(([, license]) => !LICENCES.includes(license))).toEqual([]);
});

test("what ships is few: each further package is a decision", () => {
  const own = shipped.filter(({ name }) => !/^node-(linux|win)-|^@antoniomuso\/lz4-napi-/.test(name));
  expect(Object.keys(manifest["dependencies"] ?? {}).length).toBeLessThanOrEqual(25);
  expect(own.length).toBeLessThanOrEqual(135);
});

/** Versions with a known hole, or with somebody else's code in them, by package; and what is fixed since. */
const FLOORS: Readonly<Record<string, { readonly from?: string; readonly never?: readonly string[] }>> = {
  // CVE-2026-42264, GHSA-w9j2-pvgh-6h63; two releases of 2026-03-31 carried a trojan.
  axios: { from: "1.16.0", never: ["1.14.1", "0.30.4"] },
  // CVE-2024-28849: credentials go along to another host.
  "follow-redirects": { from: "1.15.6" },
  // CVE-2025-7783: boundaries that can be guessed.
  "form-data": { from: "4.0.4" },
  // CVE-2023-36665: prototypes are reached.
  protobufjs: { from: "7.2.5" },
  // CVE-2024-21538: a pattern that takes for ever.
  "cross-spawn": { from: "7.0.5" },
  // Taken over on 2025-09-08.
  debug: { never: ["4.4.2"] },
  chalk: { never: ["5.6.1"] },
  "ansi-regex": { never: ["6.2.1"] },
  "strip-ansi": { never: ["7.1.1"] },
  "color-convert": { never: ["3.1.1"] },
};

const isBelow = (version: string, floor: string): boolean => {
  const [a, b] = [version, floor].map((text) => text.split(/[.-]/).map(Number)) as [number[], number[]];
  const at = b.findIndex((part, index) => part !== a[index]);
  return at >= 0 && (a[at] ?? 0) < (b[at] ?? 0);
};

test("no package is below the version that closed a hole, and none is a poisoned one", () => {
  expect([isBelow("1.15.9", "1.16.0"), isBelow("1.16.0", "1.16.0"), isBelow("2.0.0", "1.16.0")]).toEqual([
    true,
    false,
    false,
  ]);
  const bad = packages.filter(({ name, version }) => {
    const floor = FLOORS[name];
    return floor !== undefined && (isBelow(version, floor.from ?? "0.0.0") || floor.never?.includes(version) === true);
  });
  expect(bad.map(({ name, version }) => `${name}@${version}`)).toEqual([]);
});
