/** The `routes` of the configuration: which topic becomes which entity, under which key, with which fields. */
import { z } from "zod";

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

const ENTITY = z.enum(["accounts", "contacts", "leads", "products", "deals", "orders"]);
const COLUMN = z.string().min(1);
const SCALARS = [z.string(), z.number(), z.boolean()] as const;
const SCALAR = z.union(SCALARS);
const HINT =
  /^(decimal\(\d{1,2}\)|varDecimal|date|time|microTime|timestamp|microTimestamp|nanoTimestamp|zonedTimestamp|zonedTime|microDuration|bits\(\d{1,5}\)|bytes|text|int64)$/;

/**
 * An object by free names. zod drops a key `__proto__` without a word; here it is refused, since a field that silently
 * disappears is worse than one that is called back.
 */
const namedBy = <K extends z.core.$ZodRecordKey, V extends z.ZodType>(names: K, values: V) =>
  z.preprocess(
    (input, ctx) => {
      if (typeof input === "object" && input !== null && Object.hasOwn(input, "__proto__"))
        ctx.addIssue({ code: "custom", message: 'the name "__proto__" is not allowed here; rename it' });
      return input;
    },
    z.record(names, values, {
      error: (issue) => (issue.code === "invalid_key" ? issue.issues[0]?.message : undefined),
    }),
  );

/** A union whose message lists its forms, instead of "Invalid input". */
const oneOf = <T extends readonly [z.ZodType, ...z.ZodType[]]>(forms: string, members: T) =>
  z.union(members, { error: `must be ${forms}` });

const TEMPLATE = z.string().min(1).meta({
  description: 'Text with column names in it, as in "Order ${order_no}"; one null column makes the whole null.',
});

const KEY = oneOf('a column name or { template: "C-${id}" }', [COLUMN, z.strictObject({ template: TEMPLATE })]);

const WRITE = z.enum(["always", "onCreate"]).default("always").meta({
  description: "onCreate: written only when the record is created; after that people own the field in the CRM.",
});

const STEPS =
  "trim, lowercase, uppercase, { phone: DE }, { date: { zone: Europe/Berlin } }, { split: ',' } or { join: ' ' }";
const STEP = oneOf(STEPS, [
  z.enum(["trim", "lowercase", "uppercase"]),
  z.strictObject({
    phone: z
      .string()
      .regex(/^[A-Z]{2}$/, "must be a country of two capital letters, like DE")
      .meta({
        description:
          "Writes a phone number as E.164, reading numbers without + as of this country; other text stays as it is.",
      }),
  }),
  z.strictObject({
    date: z
      .strictObject({
        zone: z.string().min(1).default("UTC").meta({
          description: "Time zone of the ERP: a time stamp without a zone is read in it, and the day is its day.",
        }),
        to: z.enum(["date", "datetime"]).default("date").meta({
          description: "date writes YYYY-MM-DD, datetime writes YYYY-MM-DDThh:mm:ssZ in UTC.",
        }),
      })
      .meta({ description: "Reads an ISO 8601 date or time stamp." }),
  }),
  z.strictObject({
    split: z
      .string()
      .min(1)
      .meta({ description: "Cuts text at this separator into a list, as for tags; empty parts are dropped." }),
  }),
  z.strictObject({ join: z.string().meta({ description: "Joins a list to one text with this between the parts." }) }),
]);

const OWNED = oneOf('a list of tags, or { prefix: "erp-" }', [
  z.array(z.string().min(1)).min(1),
  z.strictObject({
    prefix: z.string().min(1).meta({ description: "What the tags of the connector begin with, and no others do." }),
  }),
])
  .optional()
  .meta({
    description:
      "For the field tags: the tags that belong to the connector. Only these are replaced, what people add stays; without it the whole list is replaced.",
  });

const COLUMN_STEPS = {
  from: COLUMN.meta({
    description: "Column of the row. Null is written as null; a column that was not sent is left alone.",
  }),
  transform: oneOf(`${STEPS}, or a list of these`, [STEP, z.array(STEP).min(1)])
    .optional()
    .meta({
      description: "One step or a list of steps, applied in order.",
    }),
  values: namedBy(z.string(), z.union([...SCALARS, z.null()]))
    .optional()
    .meta({
      description:
        "Lookup table from the column's text to what is written. A value not listed makes a dead letter, unless there is a default.",
    }),
  as: z
    .string()
    .regex(
      /^(decimal\((\d|[12]\d|30)\)|integer|string|boolean)$/,
      "must be decimal(n) with n up to 30, integer, string or boolean",
    )
    .optional()
    .meta({
      description: "decimal(n) writes exact text with n digits, rounded half up; integer, string and boolean convert.",
    }),
  default: SCALAR.optional().meta({
    description: "Written when the column is null, or when `values` does not list it.",
  }),
};

const STEPS_OF_COLUMN = z.strictObject(COLUMN_STEPS);
const FROM = z.strictObject({ ...COLUMN_STEPS, owned: OWNED, write: WRITE });

const CONSTANT = z.strictObject({
  value: oneOf("text, a number, true, false, null, or a list of these", [...SCALARS, z.null(), z.array(SCALAR)]).meta({
    description: "A constant.",
  }),
  owned: OWNED,
  write: WRITE,
});

const TEXT = z.strictObject({ template: TEMPLATE, write: WRITE });

const REF = z.strictObject({
  ref: ENTITY.meta({ description: "Entity of the record this field points to." }),
  key: KEY.meta({
    description: "The other record's key exactly as its own route builds it. Null or empty clears the field.",
  }),
});

const FIELD_PATH = z
  .string()
  .regex(
    /^(?!__proto__(\.|$))[^.]+(\.(?!__proto__$).+)?$/,
    "must be a field name, or group.name as in custom_fields.credit_limit",
  );

const NAME = oneOf("text, or an object with one of from, template", [
  z.string().min(1),
  STEPS_OF_COLUMN,
  z.strictObject({ template: TEMPLATE }),
]);

const OWNER = z.strictObject({
  owner: NAME.meta({
    description: "E-mail address of the CRM's user, in place of an id: text, { from } or { template }.",
  }),
  write: WRITE,
});

const STAGE = z.strictObject({
  stage: NAME.meta({ description: "Name of a deal's stage, in place of its id: text, { from } or { template }." }),
  pipeline: z.string().min(1).optional().meta({
    description: "Name of the stage's pipeline; needed where several pipelines have a stage of that name.",
  }),
  write: WRITE,
});

const PART = oneOf("a column name, or an object with one of from, value, template, ref", [
  COLUMN,
  FROM,
  CONSTANT,
  TEXT,
  REF,
]);

const LINES = z.strictObject({
  from: COLUMN.meta({ description: "Column with all lines of the order: a list, or a list as JSON text." }),
  each: namedBy(FIELD_PATH, PART).meta({
    description: "Of each line: field to column of the line, { from }, { value }, { template } or { ref, key }.",
  }),
});

const FIELD = oneOf("a column name, or an object with one of from, value, template, ref, owner, stage", [
  COLUMN,
  FROM,
  CONSTANT,
  TEXT,
  REF,
  OWNER,
  STAGE,
  LINES,
]);

const LAST_WORDS = oneOf("a constant, or an object with one of from, value, template, owner, stage", [
  ...SCALARS,
  FROM,
  CONSTANT,
  TEXT,
  OWNER,
  STAGE,
]);

const CONDITION = oneOf("a value, { in: [..] }, { not: value or [..] } or { exists: true or false }", [
  ...SCALARS,
  z.strictObject({ in: z.array(SCALAR).min(1).meta({ description: "The column has one of these values." }) }),
  z.strictObject({
    not: z
      .union([...SCALARS, z.array(SCALAR).min(1)])
      .meta({ description: "The column has another value than this, or than each of these." }),
  }),
  z.strictObject({ exists: z.boolean().meta({ description: "The column is set, or with false is null or absent." }) }),
]);

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
export type KeyExpression = z.infer<typeof KEY>;
export type FieldExpression = z.infer<typeof FIELD>;
export type ColumnExpression = z.infer<typeof STEPS_OF_COLUMN>;
export type OwnedTags = NonNullable<z.infer<typeof OWNED>>;
export type NameExpression = z.infer<typeof NAME>;
export type LinesExpression = z.infer<typeof LINES>;
export type LastWord = z.infer<typeof LAST_WORDS>;
export type Step = z.infer<typeof STEP>;
export type Condition = z.infer<typeof CONDITION>;

export const routeName = ({ name, topic, entity }: Pick<RouteConfig, "name" | "topic" | "entity">): string =>
  name ?? `${topic} -> ${entity}`;
