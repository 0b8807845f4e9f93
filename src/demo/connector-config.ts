/** The configuration that the demo's replicas run with: what a user would write, for made-up tables. */
import { type DemoOptions, FOREIGN, QUOTA } from "./options.ts";
import type { TableName } from "./tables.ts";

export interface Surroundings {
  readonly kafka: string;
  readonly redis: string;
  readonly registry: string | null;
  readonly sellUrl: string;
  readonly token: string;
  readonly groupId: string;
  readonly topicPrefix: string;
  readonly topicOf: (table: TableName) => string;
  readonly deadLetterTopic: string;
}

export const connectorConfig = (
  { dialect, format, foreign }: DemoOptions,
  { kafka, redis, registry, sellUrl, token, groupId, topicOf, deadLetterTopic }: Surroundings,
  adminPort: number,
) => {
  const debezium = { format: `debezium-${format}`, replicaIdentity: "full" };
  // JSON without schemas does not say which text is a decimal and which number a date.
  const hints = (types: object) => (format === "json" ? { hints: types } : {});
  const revision = { "custom_fields.erp_revision": "revision" };
  const owner = { owner_id: { value: 4711 } };
  return {
    kafka: { brokers: kafka.split(","), groupId },
    ...(registry === null ? {} : { schemaRegistry: { url: registry } }),
    redis: { url: redis },
    sell: { baseUrl: sellUrl, token, dialect, keyField: "erp_id" },
    quota: { windows: [QUOTA], ...(foreign ? { reserve: FOREIGN + 1 } : {}) },
    deadLetter: { topic: deadLetterTopic },
    admin: { host: "127.0.0.1", port: adminPort },
    routes: [
      {
        name: "customers",
        topic: topicOf("customers"),
        ...debezium,
        ...hints({ credit_limit: "decimal(2)" }),
        entity: "accounts",
        key: { template: "C-${id}" },
        fields: {
          name: "company_name",
          ...owner,
          email: { from: "email", transform: "lowercase" },
          customer_status: { value: "current" },
          "address.city": "city",
          "custom_fields.credit_limit": { from: "credit_limit", as: "decimal(2)" },
          ...revision,
        },
        onDelete: { update: { customer_status: "past" } },
      },
      {
        name: "contacts",
        topic: topicOf("contacts"),
        ...debezium,
        entity: "contacts",
        key: { template: "P-${id}" },
        fields: {
          first_name: "first_name",
          last_name: "last_name",
          ...owner,
          contact_id: { ref: "accounts", key: { template: "C-${customer_id}" } },
          email: { from: "email", transform: "lowercase" },
          ...revision,
        },
        onDelete: "delete",
      },
      {
        name: "orders",
        topic: topicOf("orders"),
        ...debezium,
        ...hints({ total: "decimal(2)", deliver_on: "date" }),
        entity: "deals",
        key: "order_no",
        fields: {
          name: { template: "Order ${order_no}" },
          ...owner,
          contact_id: { ref: "contacts", key: { template: "P-${contact_id}" } },
          value: { from: "total", as: "decimal(2)" },
          currency: "currency",
          stage_id: { from: "status", values: { open: 1, quoted: 3, won: 5, lost: 6 } },
          estimated_close_date: "deliver_on",
          ...revision,
        },
        onDelete: "delete",
      },
    ],
  };
};
