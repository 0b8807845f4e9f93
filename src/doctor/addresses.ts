/** Addresses that cannot work, or that are about to surprise: names without address, ports of TLS without TLS. */
import type { Config } from "../config/spec.ts";
import { type Check, type Finding, failed, ok, warning } from "../online/check.ts";

export interface Address {
  /** The setting that names it. */
  readonly setting: string;
  readonly host: string;
  readonly port: number;
  readonly isTls: boolean;
}

/** Every address of a name; rejects when it has none. */
export type Resolve = (host: string) => Promise<readonly { readonly address: string; readonly family: number }[]>;

export const addressesOf = ({ kafka, redis, sell, schemaRegistry }: Config): readonly Address[] => {
  const isTls = kafka.tls?.enabled === true;
  const registryUrls = [schemaRegistry?.url ?? []].flat();
  return [
    ...kafka.brokers.map((broker) => ({ setting: "kafka.brokers", ...hostAndPort(broker), isTls })),
    ...(redis?.url === undefined ? [] : [ofUrl("redis.url", redis.url, 6_379)]),
    ...registryUrls.map((url) => ofUrl("schemaRegistry.url", url, url.startsWith("https:") ? 443 : 80)),
    ofUrl("sell.baseUrl", sell.baseUrl, sell.baseUrl.startsWith("https:") ? 443 : 80),
  ];
};

const hostAndPort = (text: string): Pick<Address, "host" | "port"> => {
  const at = text.lastIndexOf(":");
  return { host: bare(text.slice(0, at)), port: Number(text.slice(at + 1)) };
};

const ofUrl = (setting: string, text: string, usual: number): Address => {
  const { hostname, port, protocol } = new URL(text);
  const isTls = protocol === "https:" || protocol === "rediss:";
  return { setting, host: bare(hostname), port: port === "" ? usual : Number(port), isTls };
};

const bare = (host: string): string => host.replace(/^\[(.*)\]$/, "$1");

/** Ports that by convention are TLS, and the setting that switches it on. */
const TLS_PORTS: ReadonlyMap<number, string> = new Map([
  [9_093, "set kafka.tls, or name the plain listener"],
  [9_094, "set kafka.tls, or name the plain listener"],
  [6_380, "write rediss:// in redis.url"],
  [443, "write https:// in its address"],
]);

export const addressCheck = (addresses: readonly Address[], resolve: Resolve): Check => ({
  name: "addresses",
  needs: [],
  waitsFor: "the name server of this machine",
  async run() {
    const findings = await Promise.all(addresses.map((address) => findingsOf(address, resolve)));
    const problems = findings.flat();
    return problems.length > 0
      ? problems
      : [ok(`${addresses.length} of ${addresses.length} addresses can be resolved.`)];
  },
});

const findingsOf = async (address: Address, resolve: Resolve): Promise<readonly Finding[]> => {
  const { setting, host, port, isTls } = address;
  const next = TLS_PORTS.get(port);
  const plain =
    next === undefined || isTls
      ? []
      : [warning(`${setting} names port ${port} of ${host}, which is usually TLS, but TLS is off.`, next)];
  return [...(await nameFindings(setting, host, resolve)), ...plain];
};

/** The name of this machine in a container is the container. */
const nameFindings = async (setting: string, host: string, resolve: Resolve): Promise<readonly Finding[]> => {
  try {
    const families = new Set((await resolve(host)).map(({ family }) => family));
    if (families.size > 1 && host === "localhost")
      return [
        warning(
          `${setting} names localhost, which is ::1 as well as 127.0.0.1 here; a service may listen at one of them only.`,
          "write 127.0.0.1 or [::1]",
        ),
      ];
    return [];
  } catch {
    return [
      failed(
        `${setting} names ${host}, which has no address here.`,
        "correct the name, or the name server of this machine",
      ),
    ];
  }
};

/** What the brokers advertise must be reachable too, which the bootstrap address does not show. */
export const advertisedCheck = (
  brokers: () => Promise<readonly { readonly host: string; readonly port: number }[]>,
  resolve: Resolve,
): Check => ({
  name: "brokers",
  needs: ["kafka"],
  waitsFor: "the brokers",
  async run() {
    const advertised = await brokers();
    const lost: string[] = [];
    for (const { host, port } of advertised)
      await resolve(host).catch(() => {
        lost.push(`${host}:${port}`);
      });
    const all = advertised.length;
    if (lost.length === 0) return [ok(`${all} of ${all} brokers advertise an address that can be resolved.`)];
    const sentence = `Brokers advertise ${lost.join(", ")}, which has no address here.`;
    return [failed(sentence, "correct advertised.listeners of the brokers, or the name server of this machine")];
  },
});
