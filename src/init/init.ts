/** `init`: samples topics, proposes routes, writes them as a configuration. Asks Kafka, the registry and, if told where it is, Sell. */
import { configIn, type Loaded } from "../config/load.ts";
import { createSchemaSource, type SchemaSource } from "../decode/schema-source.ts";
import type { CustomField } from "../domain/custom-field.ts";
import type { Clock } from "../lib/clock.ts";
import type { Progress } from "../lib/progress.ts";
import { LATE, within } from "../lib/within.ts";
import type { KafkaConnection } from "../source/connect-kafka.ts";
import type { Emit } from "../telemetry/events.ts";
import { type AskedSell, askSell } from "../wiring/ask-sell.ts";
import { type Connections, type Places, TOKEN_VARIABLE } from "./connections.ts";
import { PROPOSED } from "./entity.ts";
import { type Asked, type Looked, lookAt } from "./look.ts";
import { type Proposal, propose } from "./propose.ts";
import type { SampledTopic } from "./sampled-topic.ts";
import type { Proposed } from "./synonyms.ts";
import { chosenTopics, TOPICS_MAX, type Wish } from "./topics.ts";
import { quoted, writeConfig } from "./write-config.ts";

export interface InitOptions {
  readonly wishes: readonly Wish[];
  readonly connections: Connections;
  readonly owner: string | null;
  readonly country: string | null;
  readonly zone: string;
}

export interface InitDeps {
  readonly kafka: KafkaConnection;
  readonly clock: Clock;
  readonly random: () => number;
  readonly emit: Emit;
  readonly progress: Progress;
  readonly version: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

export interface Initiated {
  /** Topics that were looked at. */
  readonly looked: number;
  /** Topics that there were no time for. */
  readonly passed: number;
  readonly proposal: Proposal;
  /** Null: nothing is proposed. */
  readonly config: { readonly text: string; readonly checked: Loaded } | null;
}

const LOOK_MS = 15_000;

/** Rejects with ConnectorError `USAGE` for topics that are not there, and like Kafka's admin and Sell's target. */
export const initiate = async (options: InitOptions, deps: InitDeps, signal: AbortSignal): Promise<Initiated> => {
  const { kafka, progress, env } = deps;
  const chosen = chosenTopics(await kafka.admin.topics(), options.wishes);
  const asked = chosen.slice(0, TOPICS_MAX);
  const schemas = schemasOf(options.connections.places, deps);
  const sampled: SampledTopic[] = [];
  const left: { topic: string; why: string }[] = [];
  await progress.step("Topics", async ({ tell }) => {
    for (const [at, one] of asked.entries()) {
      tell(`${at + 1} of ${asked.length}: ${one.topic}`);
      const looked = await lookedAt(one, deps, schemas, signal);
      if ("why" in looked) left.push({ topic: one.topic, why: looked.why });
      else sampled.push(looked);
    }
  });
  const { country, zone, owner, connections } = options;
  const customFields = sampled.length === 0 ? null : await customFieldsOf(options, deps, signal);
  const proposed = propose(sampled, {
    ...{ country, zone, keyField: connections.places.sell.keyField, owner, quoted },
    customFieldsOf: (entity) => customFields?.get(entity) ?? null,
  });
  const proposal = { routes: proposed.routes, left: [...left, ...proposed.left] };
  const counts = { looked: asked.length, passed: chosen.length - asked.length };
  if (proposal.routes.length === 0) return { ...counts, proposal, config: null };
  const text = writeConfig(proposal, connections.document, owner);
  // The token may be set later: nothing but Sell needs it.
  return { ...counts, proposal, config: { text, checked: configIn(text, { [TOKEN_VARIABLE]: "unset", ...env }) } };
};

const lookedAt = async (
  asked: Asked,
  { kafka, clock }: InitDeps,
  schemas: SchemaSource | null,
  signal: AbortSignal,
): Promise<Looked> => {
  const look = async (): Promise<Looked> => lookAt(asked, await kafka.sample(asked.topic), schemas);
  const looked = await within(clock, LOOK_MS, look, signal);
  return looked === LATE ? { why: `did not answer within ${LOOK_MS / 1_000} s.` } : looked;
};

const schemasOf = ({ schemaRegistry }: Places, { clock }: InitDeps): SchemaSource | null =>
  schemaRegistry === undefined ? null : createSchemaSource(schemaRegistry, { clock, emit: () => {} });

/** Null: Sell is not asked. */
const customFieldsOf = async (
  { connections: { places, isSellNamed } }: InitOptions,
  deps: InitDeps,
  signal: AbortSignal,
): Promise<ReadonlyMap<Proposed, readonly CustomField[] | null> | null> => {
  if (!isSellNamed) return null;
  return deps.progress.step("Custom fields of Sell", async () => {
    await using asked: AskedSell = await askSell(places, { ...deps, waitMs: 0 }, signal);
    const fields = new Map<Proposed, readonly CustomField[] | null>();
    for (const entity of PROPOSED) fields.set(entity, await asked.target.customFields(entity, asked.permit, signal));
    return fields;
  });
};
