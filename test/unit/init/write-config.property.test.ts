/** Whatever the topics hold, what is written is a configuration that the connector takes. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { configIn } from "../../../src/config/load.ts";
import type { Column, Kind } from "../../../src/init/columns.ts";
import { PROPOSED } from "../../../src/init/entity.ts";
import { propose } from "../../../src/init/propose.ts";
import type { SampledTopic } from "../../../src/init/sampled-topic.ts";
import { FIELD_RULES, SUGGESTIONS } from "../../../src/init/synonyms.ts";
import { quoted, writeConfig } from "../../../src/init/write-config.ts";
import { aColumn, aTopic, connections, proposing } from "./builders.ts";

const ENV = { SELL_TOKEN: "a-token-to-try-with" };
const KINDS: readonly Kind[] = ["text", "integer", "decimal", "date", "timestamp", "flag", "list", "other", "empty"];

/** Names that mean something, names that look like YAML or templates, and any text at all. */
const known = PROPOSED.flatMap((entity) =>
  [...FIELD_RULES[entity], ...SUGGESTIONS[entity]].flatMap(({ names }) => names),
);
const nasty = [
  "",
  "__proto__",
  "${HOME}",
  "a${b}c",
  "{x}",
  "a b",
  "null",
  "- x",
  "#",
  "a: b",
  "1",
  "ümlaut",
  "a\nb",
  "on",
];
const names = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...known, "id", "no", "customer_id", "contact_id", "parent_id") },
  { weight: 1, arbitrary: fc.constantFrom(...nasty) },
  { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 12 }) },
);

const columns: fc.Arbitrary<Column> = fc.record({
  name: names,
  kind: fc.constantFrom(...KINDS),
  digits: fc.integer({ min: 0, max: 40 }),
  numberHint: fc.constantFrom(null, "decimal(2)", "text", "varDecimal"),
  dateHint: fc.constantFrom(null, "date", "timestamp", "microTimestamp", "int64"),
  country: fc.constantFrom(null, "DE", "US"),
});

const topicNames = fc.constantFrom(
  ...[
    "erp.customers",
    "crm.customers",
    "customers",
    "erp.contacts",
    "orders",
    "x.products",
    "leads",
    "order_lines",
    "kna1",
  ],
);

const topics: fc.Arbitrary<SampledTopic> = fc
  .record({
    topic: topicNames,
    columns: fc.uniqueArray(columns, { selector: ({ name }) => name, maxLength: 12 }),
    keys: fc.integer({ min: 0, max: 2 }),
    shape: fc.constantFrom(
      { format: "debezium-avro" } as const,
      { format: "debezium-json", encoding: "apicurio-json" } as const,
      { format: "json", keyEncoding: "text" } as const,
      { format: "maxwell", isUnverified: true, table: "shop.t" } as const,
    ),
    wanted: fc.option(fc.constantFrom(...PROPOSED)),
  })
  .map(({ topic, columns, keys, shape, wanted }) => ({
    ...aTopic(topic, columns, shape),
    key: columns.slice(0, keys).map(({ name }) => name),
    wanted,
  }));

test("any proposal parses and passes validation, with no other warnings than those about Redis, owner and required fields", () => {
  const all = fc.uniqueArray(topics, { selector: ({ topic }) => topic, minLength: 1, maxLength: 5 });
  const owners = fc.constantFrom(null, "sales@example.com");
  const addresses = fc.constantFrom(undefined, "redis://redis:6379");
  fc.assert(
    fc.property(all, owners, addresses, (sampled, owner, redis) => {
      const proposal = propose(sampled, proposing({ owner }));
      expect(proposal.routes.length + proposal.left.length).toBe(sampled.length);
      if (proposal.routes.length === 0) return;
      const text = writeConfig(proposal, connections({ redis }), owner);
      const loaded = configIn(text, ENV);
      expect(loaded.status === "ok" ? [] : [loaded.problems, text]).toEqual([]);
      const odd = loaded.warnings.filter(({ message }) => !/^(is not set: only one|lacks )/.test(message));
      expect(odd).toEqual([]);
      if (loaded.status !== "ok") return;
      expect(loaded.config.routes.map(({ fields }) => Object.keys(fields))).toEqual(
        proposal.routes.map(({ fields }) => fields.map(({ field }) => field)),
      );
    }),
    { numRuns: 300 },
  );
});

test("a usual ERP becomes a configuration without a warning, in which every column stands", () => {
  const text = writeConfig(
    propose(
      [
        aTopic("erp.sales.customers", ["id", "company_name", "city", aColumn("credit_limit", "decimal")]),
        aTopic("erp.sales.contacts", ["id", "customer_id", "last_name", "touched_at"]),
        aTopic("erp.sales.orders", ["order_no", "contact_id", aColumn("total", "decimal"), "status"]),
      ],
      proposing(),
    ),
    connections(),
    "sales@example.com",
  );
  expect(configIn(text, ENV)).toMatchObject({ status: "ok", warnings: [] });
  expect(text).toContain("      # custom_fields.credit_limit: { from: credit_limit, as: decimal(2) }\n");
  expect(text).toContain('      name: { template: "Order ${order_no}" } # no column looks like a name\n');
  expect(text).toContain("deadLetter: { topic: erp.sales.sell-sink.dead-letters } # create it first");
  expect(text).toContain("onDelete: { update: { customer_status: past } } # a delete in Sell could not be undone");
  for (const column of ["company_name", "city", "customer_id", "touched_at", "contact_id", "total", "status"])
    expect(text).toContain(column);
});

test("a commented line is one that can be taken over as it is", () => {
  const sampled = aTopic("customers", ["id", "name", aColumn("a b: #c"), aColumn("limit", "decimal"), aColumn("tags")]);
  const text = writeConfig(propose([sampled], proposing()), connections(), "sales@example.com");
  const taken = text.replace(/^( {6})# (?=[a-z'"])/gm, "$1");
  expect(taken).not.toBe(text);
  const loaded = configIn(taken, ENV);
  expect(loaded.status === "ok" ? Object.keys(loaded.config.routes[0]?.fields ?? {}) : loaded.problems).toEqual([
    ...["name", "owner_id", "custom_fields.a b: #c", "custom_fields.limit", "tags"],
  ]);
});

test("a value on one line is YAML for the same value", () => {
  const texts = fc.oneof(fc.string(), fc.constantFrom("a\nb", " a ", "on", "#", "{"));
  fc.assert(
    fc.property(texts, (text) => {
      expect(quoted(text)).not.toMatch(/[\n\r]/);
      expect(parse(quoted({ from: text }))).toEqual({ from: text });
    }),
  );
});
