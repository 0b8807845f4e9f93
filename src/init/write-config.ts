/**
 * The proposal as a configuration: YAML with a comment wherever a person has to decide. Whatever the topics hold, it is valid:
 * comments are one line each, and what cannot be written is not.
 */
import { type Document, isMap, stringify } from "yaml";
import { printable } from "../telemetry/text.ts";
import type { OpenColumn } from "./fields.ts";
import { after, comment, inFlow, remark } from "./notes.ts";
import type { Draft, Proposal } from "./propose.ts";

/** One value on one line, as YAML writes it inside braces. */
export const quoted = (value: unknown): string => {
  const text = stringify(value, { collectionStyle: "flow", lineWidth: 0, flowCollectionPadding: true }).trim();
  return printable(text.includes("\n") ? JSON.stringify(value) : text);
};

/** At least one route; `connections` are all other settings. */
export const writeConfig = ({ routes, left }: Proposal, connections: Document, owner: string | null): string => {
  const document = connections.clone();
  if (isMap(document.contents)) document.contents.flow = false;
  if (!document.has("deadLetter")) {
    const topic = deadLetterTopicOf(routes.map(({ sampled }) => sampled.topic));
    document.set("deadLetter", document.createNode({ topic }, { flow: true }));
    remark(document, ["deadLetter"], "create it first; nothing is created for you");
  }
  document.set("routes", document.createNode(routes.map(routeData)));
  document.commentBefore = [
    ` Proposed by sell-sink init from ${counted(routes.length, "topic")}. Read it line by line: only people know what columns mean.`,
    " Commented lines are columns of which nothing was made. Every setting: config/reference.md.",
    ...(document.commentBefore === null ? [] : ["", document.commentBefore]),
  ].join("\n");
  for (const [at, draft] of routes.entries()) decorate(document, at, draft, owner);
  for (const { topic, why } of left) after(document.get("routes"), `left out: ${topic} ${why}`);
  return document.toString({ lineWidth: 0 });
};

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

const decorate = (document: Document, at: number, draft: Draft, owner: string | null): void => {
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
