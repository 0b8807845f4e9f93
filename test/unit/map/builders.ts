/** Builders for the mapping tests: a route from what matters, a change from a row, the mapped result. */
import { assert } from "vitest";
import type { Change, ColumnValue, Row } from "../../../src/domain/change.ts";
import type { Mapped, Mutation } from "../../../src/domain/mutation.ts";
import type { ConsumerRecord } from "../../../src/domain/record.ts";
import { type RouteConfig, routesConfig } from "../../../src/map/config.ts";
import { compileRoutes } from "../../../src/map/mapper.ts";

type Loose = Record<string, unknown>;

export const KEY_FIELD = { keyField: "erp_id" };

/** Accounts of topic `customers` under column `id`, unless told otherwise; goes through the real schema. */
export const routesOf = (...overrides: readonly Loose[]): readonly RouteConfig[] =>
  routesConfig.parse(
    overrides.map((override) => ({
      topic: "customers",
      format: "debezium-json",
      entity: "accounts",
      key: "id",
      fields: { name: "name" },
      ...override,
    })),
  );

/** Null prototype, as the decoder makes rows. */
export const aRow = (columns: Record<string, ColumnValue>): Row => Object.assign(Object.create(null), columns);

export const aChange = (change: Partial<Change> = {}): Change => ({
  op: "u",
  key: aRow({ id: 7 }),
  before: null,
  after: aRow({ id: 7, name: "Nordlicht" }),
  version: null,
  origin: "streamed",
  tombstone: false,
  sourceTsMs: null,
  txId: null,
  ...change,
});

export const anUpdateTo = (columns: Record<string, ColumnValue>): Change =>
  aChange({ after: aRow({ id: 7, ...columns }) });

export const aRecord = (topic = "customers"): ConsumerRecord => ({
  position: { topic, partition: 3, offset: 1041n, epoch: 1 },
  timestampMs: 0,
  key: null,
  value: null,
  headers: [],
  bytes: 0,
});

export const mapped = (route: Loose, change: Change): Mapped =>
  compileRoutes(routesOf(route), KEY_FIELD).map(change, aRecord());

export const mutationOf = (route: Loose, change: Change): Mutation => {
  const result = mapped(route, change);
  assert(
    result.status === "mutations" && result.mutations[0] !== undefined,
    `expected a mutation, got ${result.status}`,
  );
  return result.mutations[0];
};

export const errantOf = (route: Loose, change: Change) => {
  const result = mapped(route, change);
  assert(result.status === "errant", `expected an errant, got ${result.status}`);
  return result.errant;
};
