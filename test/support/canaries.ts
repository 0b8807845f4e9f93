/** Secrets planted in a configuration, to be searched for, in every disguise, in whatever comes out. */

/** Of letters that look otherwise in a URL and in base64; by the setting that holds it. */
const canary = (name: string): string => `cn4ry+${name}/=end`;

export const CANARIES = {
  "sell.token": canary("sell"),
  "sell.headers": canary("gateway"),
  "sell.proxy": canary("proxy"),
  "kafka.sasl.password": canary("kafka"),
  "kafka.sasl.clientSecret": canary("kafka-oauth"),
  "redis.url": canary("redis"),
  "redis.password": canary("redis-user"),
  "redis.sentinels.password": canary("sentinel"),
  "schemaRegistry.password": canary("registry"),
  "schemaRegistry.url": canary("registry-url"),
  "schemaRegistry.token": canary("registry-token"),
  "schemaRegistry.oauth.clientSecret": canary("registry-oauth"),
  "schemaRegistry.oauth.tokenUrl": canary("token-url"),
  "schemaRegistry.headers": canary("registry-gateway"),
} as const;

export type CanaryName = keyof typeof CANARIES;

export const USER = "sink-user";

const inUrl = (name: CanaryName): string => encodeURIComponent(CANARIES[name]);

/** Two configurations, since no one can hold all of them. `closed` is where nobody listens. */
export const canaryConfigs = (closed: string): Readonly<Record<"passwords" | "tokens", object>> => {
  const route = {
    topic: "customers",
    format: "debezium-json",
    entity: "leads",
    key: "id",
    fields: { last_name: "name" },
  };
  const both = { deadLetter: { topic: "dead" }, log: { level: "debug" }, routes: [route] };
  const sell = {
    baseUrl: `http://${closed}`,
    token: CANARIES["sell.token"],
    headers: { "X-Gateway-Key": CANARIES["sell.headers"] },
    proxy: `http://${USER}:${inUrl("sell.proxy")}@${closed}`,
  };
  return {
    passwords: {
      ...both,
      sell,
      kafka: {
        ...{ brokers: [closed], groupId: "sink" },
        sasl: { mechanism: "plain", username: USER, password: CANARIES["kafka.sasl.password"] },
      },
      redis: { url: `redis://${USER}:${inUrl("redis.url")}@${closed}` },
      schemaRegistry: {
        ...{ url: `http://${closed}`, username: USER, password: CANARIES["schemaRegistry.password"] },
        headers: { "X-Gateway-Key": CANARIES["schemaRegistry.headers"] },
      },
    },
    tokens: {
      ...both,
      sell,
      kafka: {
        ...{ brokers: [closed], groupId: "sink" },
        sasl: {
          ...{ mechanism: "oauthbearer", tokenUrl: `http://${closed}/token`, clientId: USER },
          clientSecret: CANARIES["kafka.sasl.clientSecret"],
        },
      },
      redis: {
        ...{ username: USER, password: CANARIES["redis.password"] },
        sentinels: { hosts: [closed], name: "mymaster", password: CANARIES["redis.sentinels.password"] },
      },
      schemaRegistry: {
        url: `http://${USER}:${inUrl("schemaRegistry.url")}@${closed}`,
        oauth: {
          tokenUrl: `http://${closed}/token?key=${inUrl("schemaRegistry.oauth.tokenUrl")}`,
          ...{ clientId: USER, clientSecret: CANARIES["schemaRegistry.oauth.clientSecret"] },
        },
      },
    },
  };
};

/** As it is, URL-encoded, as base64 in both alphabets, alone and behind the user's name, and escaped as JSON. */
export const disguises = (secret: string): readonly string[] => {
  const base64 = [secret, `${USER}:${secret}`].flatMap((text) => [
    Buffer.from(text).toString("base64"),
    Buffer.from(text).toString("base64url"),
  ]);
  return [secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1), ...base64].map((form) =>
    form.replace(/=+$/, ""),
  );
};

/** The names of the canaries that a text holds in whatever disguise. */
export const leaksIn = (text: string, canaries: Readonly<Record<string, string>> = CANARIES): readonly string[] =>
  Object.entries(canaries)
    .filter(([, secret]) => disguises(secret).some((form) => text.includes(form)))
    .map(([name]) => name);
