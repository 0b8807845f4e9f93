/** `validate --online`, the keys of one route: would the first run create records that are in Sell already? */
import { countUnknown, type KeyCount } from "../adopt/unknown-keys.ts";
import type { Config } from "../config/spec.ts";
import { createDecoder } from "../decode/decoder.ts";
import { createSchemaSource } from "../decode/schema-source.ts";
import type { ConsumerRecord } from "../domain/record.ts";
import type { Gate, Target } from "../domain/stages.ts";
import type { Clock } from "../lib/clock.ts";
import { A_MOMENT, patiently } from "../lib/patiently.ts";
import { LATE, within } from "../lib/within.ts";
import { type RouteConfig, routeName } from "../map/config.ts";
import { compileRoutes } from "../map/mapper.ts";
import { type Check, type Finding, ok, warning } from "../online/check.ts";
import type { KafkaConnection } from "../source/connect-kafka.ts";
import { mutationsOf } from "../wiring/read-mutations.ts";
import { formatsOf } from "../wiring/topic-formats.ts";

export interface KeysCheckDeps {
  readonly clock: Clock;
  readonly connection: () => KafkaConnection;
  readonly gate: () => Gate;
  readonly target: () => Target;
}

/** Each costs a call of the quota. */
const KEYS_MAX = 20;
const ASK_MS = 10_000;

/** Null where a run creates nothing by key. */
export const keysCheck = (route: RouteConfig, config: Config, deps: KeysCheckDeps): Check | null => {
  const { topic, entity, mode } = route;
  // An order is found by its deal.
  if (mode === "updateOnly" || entity === "orders") return null;
  const name = routeName(route);
  return {
    name: `keys of ${name}`,
    needs: [`topic ${topic}`, `records of ${topic}`, "sell"],
    waitsFor: "the brokers, the schema registry and Sell",
    async run(signal) {
      const records = await deps.connection().sample(topic);
      const keys = await keysIn(records, name, config, deps.clock);
      if (keys.length === 0) return [];
      const count: KeyCount = { asked: 0, unknown: 0 };
      const asking = { target: deps.target(), gate: deps.gate() };
      const ask = (cut: AbortSignal): Promise<void> => countUnknown(entity, keys, count, asking, cut);
      const isLate = (await within(deps.clock, ASK_MS, ask, signal)) === LATE;
      if (count.asked === 0) return isLate ? [noRoom(name)] : [];
      // A coordinator may be loading its groups.
      const isBegun = await patiently(deps.clock, A_MOMENT, () => hasBegun(config, topic, deps.connection()), signal);
      return [judged(count, name, isBegun)];
    },
  };
};

/** Of what the route writes; the latest record decides. */
const keysIn = async (
  records: readonly ConsumerRecord[],
  name: string,
  config: Config,
  clock: Clock,
): Promise<readonly string[]> => {
  const { schemaRegistry, routes, sell } = config;
  const schemas = schemaRegistry === undefined ? null : createSchemaSource(schemaRegistry, { clock, emit: () => {} });
  const reading = {
    decoder: createDecoder(formatsOf(config), { schemas }),
    mapper: compileRoutes(routes, { keyField: sell.keyField }),
  };
  const keys = new Set<string>();
  for (const record of records.toSorted((a, b) => Number(a.position.offset - b.position.offset))) {
    for (const { key, route, action } of (await mutationsOf(record, reading)) ?? []) {
      if (route !== name) continue;
      keys.delete(key);
      if (action !== "delete") keys.add(key);
    }
  }
  return spread([...keys]);
};

/** Old keys and new ones alike. */
const spread = (keys: readonly string[]): readonly string[] => {
  const stride = Math.max(1, keys.length / KEYS_MAX);
  return keys.filter((_, at) => at === 0 || Math.floor(at / stride) > Math.floor((at - 1) / stride));
};

const hasBegun = async ({ kafka }: Config, topic: string, { admin }: KafkaConnection): Promise<boolean> => {
  const committed = await admin.committed(kafka.groupId, await admin.endOffsets([topic]));
  return committed.some(({ offset }) => offset !== null);
};

const judged = ({ asked, unknown }: KeyCount, name: string, isBegun: boolean): Finding => {
  if (unknown === 0) return ok(`${asked} of ${asked} sampled keys of ${name} are known to Sell.`);
  const found = `${unknown} of ${asked} sampled keys of ${name} are unknown to Sell`;
  if (isBegun) return ok(`${found} yet; the group has begun and creates them.`);
  const route = /^[\w.-]+$/.test(name) ? name : JSON.stringify(name);
  const adopt = `sell-sink adopt --route ${route} --match email --dry-run`;
  return warning(`${found}: the first run would create them.`, `if their records are there already: ${adopt}`);
};

const noRoom = (name: string): Finding =>
  warning(
    `Not one of the sampled keys of ${name} could be asked for within ${ASK_MS / 1_000} s.`,
    "ask again when the quota has room",
  );
