/** The forms of an expression: how a route says where a value of Sell comes from. */
import { z } from "zod";

export const ENTITY = z.enum(["accounts", "contacts", "leads", "products", "deals", "orders"]);
export const COLUMN = z.string().min(1);
const SCALARS = [z.string(), z.number(), z.boolean()] as const;
export const SCALAR = z.union(SCALARS);

/**
 * An object by free names. zod drops a key `__proto__` without a word; here it is refused, since a field that silently
 * disappears is worse than one that is called back.
 */
export const namedBy = <K extends z.core.$ZodRecordKey, V extends z.ZodType>(names: K, values: V) =>
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
export const oneOf = <T extends readonly [z.ZodType, ...z.ZodType[]]>(forms: string, members: T) =>
  z.union(members, { error: `must be ${forms}` });

const TEMPLATE = z.string().min(1).meta({
  description: 'Text with column names in it, as in "Order ${order_no}"; one null column makes the whole null.',
});

export const KEY = oneOf('a column name or { template: "C-${id}" }', [COLUMN, z.strictObject({ template: TEMPLATE })]);

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

export const FIELD_PATH = z
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

export const FIELD = oneOf("a column name, or an object with one of from, value, template, ref, owner, stage", [
  COLUMN,
  FROM,
  CONSTANT,
  TEXT,
  REF,
  OWNER,
  STAGE,
  LINES,
]);

export const LAST_WORDS = oneOf("a constant, or an object with one of from, value, template, owner, stage", [
  ...SCALARS,
  FROM,
  CONSTANT,
  TEXT,
  OWNER,
  STAGE,
]);

export const CONDITION = oneOf("a value, { in: [..] }, { not: value or [..] } or { exists: true or false }", [
  ...SCALARS,
  z.strictObject({ in: z.array(SCALAR).min(1).meta({ description: "The column has one of these values." }) }),
  z.strictObject({
    not: z
      .union([...SCALARS, z.array(SCALAR).min(1)])
      .meta({ description: "The column has another value than this, or than each of these." }),
  }),
  z.strictObject({ exists: z.boolean().meta({ description: "The column is set, or with false is null or absent." }) }),
]);

export type KeyExpression = z.infer<typeof KEY>;
export type FieldExpression = z.infer<typeof FIELD>;
export type ColumnExpression = z.infer<typeof STEPS_OF_COLUMN>;
export type OwnedTags = NonNullable<z.infer<typeof OWNED>>;
export type NameExpression = z.infer<typeof NAME>;
export type LinesExpression = z.infer<typeof LINES>;
export type LastWord = z.infer<typeof LAST_WORDS>;
export type Step = z.infer<typeof STEP>;
export type Condition = z.infer<typeof CONDITION>;
