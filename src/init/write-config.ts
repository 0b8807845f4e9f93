/**
 * The proposal as a configuration: YAML with a comment wherever a person has to decide. Whatever the topics hold, it is valid:
 * comments are one line each, and what cannot be written is not.
 */
import {
  type Document as AnyDocument,
  Document,
  isCollection,
  isMap,
  isPair,
  isScalar,
  type Pair,
  stringify,
} from "yaml";
import { printable } from "../telemetry/text.ts";
import type { OpenColumn } from "./fields.ts";
import type { Draft, Proposal } from "./propose.ts";

/** Addresses as they shall stand there: `${NAME}` in place of one that holds a password. */
export interface Settings {
  readonly brokers: readonly string[];
  readonly groupId: string;
  /** Null: none was named. */
  readonly registry: string | null;
  readonly redis: string | null;
  readonly sellUrl: string;
  readonly keyField: string;
  readonly owner: string | null;
}

/** One value on one line, as YAML writes it inside braces. */
export const quoted = (value: unknown): string => {
  const text = stringify(value, { collectionStyle: "flow", lineWidth: 0, flowCollectionPadding: true }).trim();
  return printable(text.includes("\n") ? JSON.stringify(value) : text);
};

/** At least one route. */
export const writeConfig = ({ routes, left }: Proposal, settings: Settings): string => {
  const { brokers, groupId, registry, redis, sellUrl, keyField } = settings;
  const deadLetters = deadLetterTopicOf(routes.map(({ sampled }) => sampled.topic));
  const document = new Document({
    kafka: { brokers, groupId },
    ...(registry === null ? {} : { schemaRegistry: { url: registry } }),
    ...(redis === null ? {} : { redis: { url: redis } }),
    sell: { baseUrl: sellUrl, token: `\${${VARIABLES.token}}`, keyField },
    quota: { profile: "customer" },
    deadLetter: { topic: deadLetters },
    routes: routes.map(routeData),
  });
  for (const name of ["kafka", "schemaRegistry", "redis", "quota", "deadLetter"]) inFlow(document.get(name));
  document.commentBefore = [
    ` Proposed by sell-sink init from ${counted(routes.length, "topic")}. Read it line by line: only people know what columns mean.`,
    " Commented lines are columns of which nothing was made. Every setting: config/reference.md.",
  ].join("\n");
  if (redis === null)
    remarkBefore(
      document,
      "sell",
      'redis: { url: "redis://redis:6379" } # for several replicas, and a memory over restarts',
    );
  remark(document, ["sell", "token"], "or file:/run/secrets/sell-token, which is read again when it changes");
  remark(document, ["sell", "keyField"], "custom field in Sell that holds the ERP key: single-line text, filterable");
  remark(document, ["quota"], "200 calls a minute for the account");
  remark(document, ["deadLetter"], "create it first; nothing is created for you");
  for (const [at, draft] of routes.entries()) decorate(document, at, draft, settings);
  for (const { topic, why } of left) after(document.get("routes"), `left out: ${topic} ${why}`);
  return document.toString({ lineWidth: 0 });
};

/** Environment variables that the file names in place of secrets; the token is also read from there. */
export const VARIABLES = { token: "SELL_TOKEN", registry: "SCHEMA_REGISTRY_URL", redis: "REDIS_URL" } as const;

const routeData = ({ sampled, entity, key, keyColumns, hints, fields, onDelete }: Draft) => {
  const { topic, format, encoding, keyEncoding, isUnverified, table } = sampled;
  return {
    ...{ topic, format },
    ...(encoding === undefined ? {} : { encoding }),
    ...(keyEncoding === undefined ? {} : { keyEncoding }),
    ...(isUnverified ? { unverified: true, ...(table === null ? {} : { table }) } : {}),
    ...(Object.keys(hints).length === 0 ? {} : { hints }),
    ...{ keyColumns, entity, key },
    fields: Object.fromEntries(fields.map(({ field, written }) => [field, written])),
    onDelete,
  };
};

const decorate = (document: AnyDocument, at: number, draft: Draft, { owner }: Settings): void => {
  const { sampled, fields, open, entity, hints } = draft;
  const route = ["routes", at];
  const whole = document.getIn(route);
  if (isMap(whole)) whole.commentBefore = comment(`${counted(sampled.records, "record")} of the topic looked at.`);
  const written = document.getIn([...route, "fields"]);
  for (const name of ["hints", "keyColumns", "key", "onDelete"]) inFlow(document.getIn([...route, name]));
  if (isMap(written)) for (const { value } of written.items) inFlow(value);
  for (const { field, note } of fields) if (note !== null) remark(document, [...route, "fields", field], note);
  if (owner === null && entity !== "products")
    after(
      written,
      'owner_id: { owner: "name@example.com", write: onCreate } # else new records belong to the token\'s user',
    );
  for (const column of open) after(written, lineOf(column));
  remark(document, [...route, "key"], KEY_NOTE);
  remark(document, [...route, "onDelete"], "a delete in Sell could not be undone; or ignore, or delete");
  if (Object.keys(hints).length > 0)
    remark(document, [...route, "hints"], "the records carry no types; compare them with the table's");
  if (sampled.isUnverified)
    remark(
      document,
      [...route, "unverified"],
      "the format is known from documents only: try it with sell-sink sandbox first",
    );
};

const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? "" : "s"}`;

const KEY_NOTE = "the ERP key; it never changes once records are written";

const lineOf = ({ line, note }: OpenColumn): string => (note === null ? line : `${line} # ${note}`);

/** Beside the value that the path names, at the end of its line. */
const remark = (document: AnyDocument, path: readonly (string | number)[], text: string): void => {
  const node = document.getIn(path, true);
  if (isScalar(node) || isCollection(node)) node.comment = comment(text);
};

const remarkBefore = ({ contents }: AnyDocument, name: string, text: string): void => {
  const pair = isMap(contents) ? contents.items.find(({ key }) => isScalar(key) && key.value === name) : undefined;
  if (isPair(pair) && isScalar(pair.key)) pair.key.commentBefore = comment(text);
};

/** A line of its own behind the last entry. */
const after = (node: unknown, text: string): void => {
  if (!isCollection(node)) return;
  node.comment = [...(node.comment == null ? [] : [node.comment]), comment(text)].join("\n");
};

const comment = (text: string): string => ` ${printable(text)}`;

const inFlow = (node: unknown): void => {
  if (!isCollection(node)) return;
  node.flow = true;
  for (const item of node.items) inFlow(isPair(item) ? (item as Pair).value : item);
};

const NAME_MAX = 249;
const SUFFIX = "sell-sink.dead-letters";

/** Beside the topics, below what they have in common. */
const deadLetterTopicOf = (topics: readonly string[]): string => {
  const [first = [], ...others] = topics.map((topic) => topic.split(".").slice(0, -1));
  const isCommon = (upTo: number): boolean =>
    others.every((other) => first.slice(0, upTo + 1).every((part, at) => other[at] === part));
  const common = first.filter((_, at) => isCommon(at));
  const name = [...common, SUFFIX].join(".");
  return name.length > NAME_MAX || topics.includes(name) ? SUFFIX : name;
};
