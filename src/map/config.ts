/** The `routes` of the configuration: which topic becomes which entity, under which key, with which fields. */
import { z } from "zod";
import {
  COLUMN,
  CONDITION,
  ENTITY,
  FIELD,
  FIELD_PATH,
  KEY,
  LAST_WORDS,
  namedBy,
  oneOf,
  SCALAR,
} from "./expression-config.ts";

/** Wire formats a topic may have; the decoder has one reader for each. */
export const FORMATS = [
  "debezium-json",
  "debezium-avro",
  "debezium-json-flattened",
  "debezium-avro-flattened",
  "json",
  "avro",
  "cloudevents",
  "outbox",
  "mongodb",
  "maxwell",
  "canal",
  "goldengate",
  "confluent-oracle",
  "qlik",
  "dms",
  "sap-odq",
] as const;

/** How bytes become values; `debezium-json` and its like have one of their own, which these replace. */
const ENCODINGS = [
  "json",
  "confluent-json-schema",
  "apicurio-json",
  "confluent-avro",
  "confluent-avro-guid-header",
  "apicurio-avro-headers",
  "apicurio-avro-8",
] as const;

const HINT =
  /^(decimal\(\d{1,2}\)|varDecimal|date|time|microTime|timestamp|microTimestamp|nanoTimestamp|zonedTimestamp|zonedTime|microDuration|bits\(\d{1,5}\)|bytes|text|int64)$/;

const ROUTE = z.strictObject({
  topic: z
    .string()
    .regex(
      /^[A-Za-z0-9._-]{1,249}$/,
      "must be a Kafka topic name: letters, digits, dot, underscore, hyphen, 249 at most",
    )
    .meta({ description: "Topic to read. Several routes may read one topic." }),
  name: z.string().min(1).max(200).optional().meta({
    description: "Name in logs, metrics and messages; `<topic> -> <entity>` when left out.",
  }),
  format: z.enum(FORMATS).meta({ description: "What the topic's records are; json and avro are plain rows." }),
  encoding: z.enum(ENCODINGS).optional().meta({
    description:
      "How the records' bytes are written, where it is not the format's own: JSON, or Avro in Confluent's framing where the name says avro.",
  }),
  keyEncoding: z
    .enum([...ENCODINGS, "text"])
    .optional()
    .meta({
      description:
        "How the record keys are written, where it is not as the values: text is that of a StringConverter, to be named by keyColumns.",
    }),
  unverified: z.boolean().default(false).meta({
    description:
      "Set it to accept a format that was built from documents: no record of it was at hand when it was written.",
  }),
  table: z.string().min(1).optional().meta({
    description:
      "Only rows of this table are written, for topics that hold several: schema.table or database.table as the records have it.",
  }),
  hints: namedBy(COLUMN, z.string().regex(HINT, "must be a type like decimal(2), date or microTimestamp"))
    .optional()
    .meta({
      description:
        "Types of columns that the records do not carry themselves (JSON without schemas): column to decimal(2), date, microTimestamp, ...",
    }),
  keyColumns: z.array(COLUMN).min(1).optional().meta({
    description:
      "Columns of the record key, or of a row whose record key tells nothing. A single one names a record key that is a bare value. Given, `validate` can check that changes of one CRM record stay in one partition.",
  }),
  versionColumns: z.array(COLUMN).min(1).optional().meta({
    description:
      "Of plain rows: columns that rise with every change of a row, the most significant first, so that a re-delivered older row is told. Without them only Kafka's order counts.",
  }),
  deleteFlag: z
    .strictObject({
      column: COLUMN.meta({ description: "Column that marks deleted rows." }),
      values: z
        .array(SCALAR)
        .min(1)
        .default([true])
        .meta({ description: "The row is deleted when the column's text is one of these." }),
    })
    .optional()
    .meta({ description: "Of plain rows: what tells a deleted one. Without it only tombstones delete." }),
  beforeField: z.string().min(1).optional().meta({
    description:
      "Of dms: where its task puts the row before an update (FieldName of BeforeImageSettings, often before-image). Without it a changed key leaves the old record behind.",
  }),
  unavailableValuePlaceholder: z
    .string()
    .regex(/^(?!hex:)|^hex:(?:[0-9a-fA-F]{2})+$/, "must be text, or hex: and pairs of hexadecimal digits")
    .min(1)
    .optional()
    .meta({
      description:
        "Debezium's unavailable.value.placeholder, where the connector sets another one than __debezium_unavailable_value: what stands for a large column that an update did not touch. Its field is left alone.",
    }),
  replicaIdentity: z.enum(["default", "full"]).default("default").meta({
    description:
      "full: a delete's before image is the whole row (PostgreSQL REPLICA IDENTITY FULL, MySQL, SQL Server, Oracle). default: only its key is real.",
  }),
  entity: ENTITY.meta({ description: "What the rows become in the CRM." }),
  key: KEY.meta({
    description:
      "The ERP key: a column, or a template when several routes write one entity or the key has several columns.",
  }),
  fields: namedBy(FIELD_PATH, FIELD).meta({
    description:
      "CRM field to column name, { from }, { value }, { template }, { ref, key }, { owner }, { stage, pipeline }, or for an order's lines { from, each }.",
  }),
  onDelete: oneOf("ignore, delete or { update: {..} }", [
    z.enum(["ignore", "delete"]),
    z.strictObject({ update: namedBy(FIELD_PATH, LAST_WORDS) }),
  ])
    .default("ignore")
    .meta({
      description:
        "What a deleted row does: ignore; delete the CRM record, which cannot be undone; or update it, never creating one. In `update` plain text is the value itself, since the row is gone.",
    }),
  when: namedBy(COLUMN, CONDITION).optional().meta({
    description:
      "Only rows that meet every condition are written, other records are skipped. A deleted row counts as meeting what it no longer tells.",
  }),
  mode: z.enum(["upsert", "updateOnly", "createOnly"]).default("upsert").meta({
    description: "updateOnly never creates a record, createOnly leaves existing ones alone.",
  }),
  onMissing: z.enum(["recreate", "skip", "deadLetter"]).default("recreate").meta({
    description: "What happens when a record written before is gone from the CRM.",
  }),
  brake: z
    .strictObject({
      deletions: z.int().min(0).max(1_000_000).nullable().default(500).meta({
        description: "Records that may be deleted an hour; null: any number.",
      }),
      creations: z.int().min(0).max(1_000_000).nullable().default(null).meta({
        description: "Records that may be created an hour, give or take what is on the wire; null: any number.",
      }),
    })
    .prefault({})
    .meta({
      description:
        "Beyond these numbers the topic stops, until a person has looked at the keys in the log and accepts a number that is meant: here, with a restart, or by `sell-sink resume --accept`. With Redis all replicas count together.",
    }),
  paused: z.string().min(1).max(200).optional().meta({
    description:
      "Why the route is paused: its topic stands still, nothing of it is lost or committed. Take the line out and restart to go on; `sell-sink pause` does the same without a restart.",
  }),
  lane: z
    .enum(["live", "backfill"])
    .default("live")
    .meta({ description: "backfill: everything of this route lets live changes go first." }),
  startFrom: oneOf("earliest, latest or a time like 2026-11-01T00:00:00Z", [
    z.enum(["earliest", "latest"]),
    z.iso.datetime({ offset: true, error: "must be earliest, latest or a time like 2026-11-01T00:00:00Z" }),
  ])
    .default("earliest")
    .meta({ description: "Where a group without committed offsets begins: earliest, latest, or a time with zone." }),
  acceptUnordered: z.boolean().default(false).meta({
    description:
      "Set it to accept that changes of one CRM record may arrive out of order, because the key leaves out a column of the record key.",
  }),
  guard: z.boolean().default(true).meta({
    description:
      "Drops re-delivered changes older than the accepted one. Switch off after a failover or restore that reset the source's positions.",
  }),
});

export const routesConfig = z.array(ROUTE).min(1).meta({ description: "What is read and what it becomes." });

export type RouteConfig = z.infer<typeof ROUTE>;

export const routeName = ({ name, topic, entity }: Pick<RouteConfig, "name" | "topic" | "entity">): string =>
  name ?? `${topic} -> ${entity}`;
