/** From sampled topics to the routes that are proposed, and why the others are left out. Pure. */
import type { KeyExpression } from "../map/expression-config.ts";
import { entityOf } from "./entity.ts";
import { type DraftField, type FieldsOptions, fieldsOf, type OpenColumn, openColumn } from "./fields.ts";
import { TYPELESS, type Written } from "./forms.ts";
import { keyColumnsOf, keyOf, prefixesOf } from "./keys.ts";
import { fitsTemplate } from "./names.ts";
import { type Parent, type Reference, referenceOf } from "./references.ts";
import type { SampledTopic } from "./sampled-topic.ts";
import { NOUNS, type Proposed } from "./synonyms.ts";

export interface Draft {
  readonly sampled: SampledTopic;
  readonly entity: Proposed;
  readonly key: KeyExpression;
  readonly keyColumns: readonly string[];
  readonly hints: Readonly<Record<string, string>>;
  readonly fields: readonly DraftField[];
  readonly open: readonly OpenColumn[];
  readonly onDelete: Written;
}

export interface Left {
  readonly topic: string;
  /** A sentence with the next step. */
  readonly why: string;
}

export interface Proposal {
  readonly routes: readonly Draft[];
  readonly left: readonly Left[];
}

export interface ProposeOptions extends Pick<FieldsOptions, "country" | "zone" | "keyField"> {
  /** E-mail address of the user who owns new records; null: nobody said. */
  readonly owner: string | null;
  readonly customFieldsOf: (entity: Proposed) => FieldsOptions["customFields"];
  /** A value as YAML writes it on one line. */
  readonly quoted: (value: unknown) => string;
}

export const propose = (topics: readonly SampledTopic[], options: ProposeOptions): Proposal => {
  const left: Left[] = [];
  const told = topics.flatMap((sampled) => {
    const found = outlined(sampled, optionsFor(sampled, options));
    if (!("why" in found)) return [found];
    left.push({ topic: sampled.topic, why: found.why });
    return [];
  });
  const parents = told.map(
    (outline): Parent => ({ ...outline, topic: outline.sampled.topic, prefix: prefixOf(outline, told) }),
  );
  const routes = told.flatMap((outline, at) => {
    const draft = drafted(outline, parents[at]?.prefix ?? "", parents, options);
    if (draft !== null) return [draft];
    left.push({ topic: outline.sampled.topic, why: BRACES });
    return [];
  });
  return { routes, left };
};

interface Outline {
  readonly sampled: SampledTopic;
  readonly entity: Proposed;
  readonly noun: string;
  readonly keyColumns: readonly string[];
  readonly mapped: ReturnType<typeof fieldsOf>;
}

const outlined = (
  sampled: SampledTopic,
  optionsOf: (entity: Proposed) => FieldsOptions,
): Outline | { readonly why: string } => {
  const { topic, table, wanted, columns } = sampled;
  const told = entityOf(topic) ?? (table === null ? null : entityOf(table));
  if (told === "lines" && wanted === null) return { why: LINES };
  const entity = wanted ?? (told === "lines" ? null : (told?.entity ?? null));
  if (entity === null) return { why: nameless(topic) };
  const noun = told !== null && told !== "lines" && told.entity === entity ? told.noun : (NOUNS[entity][0] ?? entity);
  const keyColumns = keyColumnsOf(sampled, noun);
  if (keyColumns.length === 0) return { why: KEYLESS };
  const others = columns.filter(({ name }) => !keyColumns.includes(name));
  const mapped = fieldsOf(entity, others, optionsOf(entity));
  if (mapped.fields.length === 0)
    return {
      why: unknownColumns(
        entity,
        others.map(({ name }) => name),
        topic,
      ),
    };
  return { sampled, entity, noun, keyColumns, mapped };
};

const optionsFor =
  ({ encoding }: SampledTopic, { country, zone, keyField, customFieldsOf }: ProposeOptions) =>
  (entity: Proposed): FieldsOptions => ({
    ...{ country, zone, keyField, lacksTypes: TYPELESS.has(encoding) },
    customFields: customFieldsOf(entity),
  });

/** Needed only where several topics become one entity. */
const prefixOf = ({ entity, sampled }: Outline, all: readonly Outline[]): string => {
  const topics = all.filter((other) => other.entity === entity).map((other) => other.sampled.topic);
  return topics.length === 1 ? "" : (prefixesOf(topics)[topics.indexOf(sampled.topic)] ?? "");
};

/** Null: its key cannot stand in a template. */
const drafted = (
  outline: Outline,
  prefix: string,
  parents: readonly Parent[],
  options: ProposeOptions,
): Draft | null => {
  const { sampled, entity, noun, keyColumns, mapped } = outline;
  const key = keyOf(keyColumns, prefix);
  if (key === null) return null;
  const child = { topic: sampled.topic, entity, keyColumns };
  const reference = referenceOf(child, mapped.rest, parents);
  const open = mapped.rest
    .filter(({ name }) => reference?.columns.includes(name) !== true)
    .map((column) => openColumn(column, entity, optionsFor(sampled, options)(entity), options.quoted));
  return {
    ...{ sampled, entity, key, keyColumns, open },
    hints: mapped.hints,
    fields: [...nameOf(entity, noun, keyColumns, mapped.fields), ...referring(reference), ...owning(entity, options)],
    onDelete: { update: LAST_WORDS[entity] },
  };
};

/** A deal's name often stands in no column. */
const nameOf = (
  entity: Proposed,
  noun: string,
  keyColumns: readonly string[],
  fields: readonly DraftField[],
): readonly DraftField[] => {
  if (entity !== "deals" || fields.some(({ field }) => field === "name") || !keyColumns.every(fitsTemplate))
    return fields;
  const title = noun.charAt(0).toUpperCase() + noun.slice(1);
  const template = `${title} ${keyColumns.map((column) => `\${${column}}`).join("-")}`;
  return [{ field: "name", written: { template }, note: "no column looks like a name" }, ...fields];
};

const referring = (reference: Reference | null): readonly DraftField[] => {
  if (reference === null) return [];
  const { field, to, key, topic } = reference;
  return [{ field, written: { ref: to, key }, note: `the key as the route of ${topic} builds it` }];
};

const owning = (entity: Proposed, { owner }: ProposeOptions): readonly DraftField[] =>
  owner === null || entity === "products"
    ? []
    : [{ field: "owner_id", written: { owner, write: "onCreate" }, note: "people may hand it over afterwards" }];

const MARK = "deleted-in-erp";
const MARKED = { tags: { value: [MARK], owned: [MARK] } };

/** A delete in Sell cannot be undone: the record is marked instead. */
const LAST_WORDS: Readonly<Record<Proposed, Readonly<Record<string, unknown>>>> = {
  accounts: { customer_status: "past" },
  contacts: { customer_status: "past" },
  leads: MARKED,
  deals: MARKED,
  products: { active: false },
};

const LINES =
  "has one row a line of an order, from which an order's set of lines cannot be rebuilt; send the lines as a list in the order's own record, by an outbox or a stream join.";
const KEYLESS =
  "has no record key that names columns, and no column that looks like a key; give its table a primary key, or write the route by hand.";
const BRACES = "has a key column with a brace in its name, which no template can hold; rename it at the source.";

const nameless = (topic: string): string =>
  `has a name that tells no entity; say it with --topic ${topic}=accounts, or ${["contacts", "leads", "deals", "products"].join(", ")}.`;

const COLUMNS_MAX = 20;

const unknownColumns = (entity: Proposed, names: readonly string[], topic: string): string => {
  const shown = names.length === 0 ? "none" : names.slice(0, COLUMNS_MAX).join(", ");
  const more = names.length > COLUMNS_MAX ? ", ..." : "";
  return `looks like ${entity}, but no column beside the key has a name that tells a field (${shown}${more}); write the route for ${topic} by hand, after config/example.yaml.`;
};
