/** Which keys a record is about, and what the routes would do for each. */
import { expect, test } from "vitest";
import { type Change, UNAVAILABLE } from "../../../src/domain/change.ts";
import { ConnectorError } from "../../../src/domain/errors.ts";
import type { Decoder } from "../../../src/domain/stages.ts";
import { compileIdentities, compileRoutes } from "../../../src/map/mapper.ts";
import { type Reading, seenIn } from "../../../src/resync/fates.ts";
import { aChange, aRecord, aRow, KEY_FIELD, routesOf } from "../map/builders.ts";

const reading = (decoder: Decoder, ...routes: readonly Record<string, unknown>[]): Reading => ({
  decoder,
  mapper: compileRoutes(routesOf(...routes), KEY_FIELD),
  identitiesOf: compileIdentities(routesOf(...routes)),
  perCall: 10,
});
const decoding = (...changes: readonly Change[]): Decoder => ({ decode: () => ({ status: "changes", changes }) });

const fatesOf = async (changes: readonly Change[], ...routes: readonly Record<string, unknown>[]) =>
  (await seenIn(aRecord(), reading(decoding(...changes), ...routes)))?.map(([id, , { fate }]) =>
    fate.status === "written" ? `${id} ${fate.calls.kind}${fate.isPartial ? ", partial" : ""}` : `${id} ${fate.reason}`,
  );

const deletion = aChange({ op: "d", after: null, key: aRow({ id: 7 }), before: aRow({ id: 7 }) });

/** A route that knows one name, and a row with another. */
const listing = { fields: { name: { from: "name", values: { Nordlicht: "N" } } } };
const unlisted = (id: number): Change => aChange({ after: aRow({ id, name: "other" }), key: aRow({ id }) });

test.each([
  ["a whole row", aChange(), {}, "accounts/7 accounts upsert"],
  [
    "a row that lacks a column",
    aChange({ after: aRow({ id: 7, name: UNAVAILABLE }) }),
    {},
    "accounts/7 accounts upsert, partial",
  ],
  ["a row that the route filters", aChange(), { when: { name: "other" } }, "accounts/7 filtered"],
  ["a delete", deletion, { onDelete: "delete" }, "accounts/7 accounts delete"],
  ["a delete that is ignored", deletion, { onDelete: "ignore" }, "accounts/7 delete-ignored"],
  ["a delete that updates", deletion, { onDelete: { update: { name: "gone" } } }, "accounts/7 accounts update"],
  ["a row that cannot be mapped", unlisted(7), listing, "accounts/7 value-not-listed"],
])("of %s", async (_, change, route, fate) => {
  expect(await fatesOf([change], route)).toEqual([fate]);
});

test("each route has its own say, and one change that cannot be written spoils the whole record", async () => {
  const leads = { name: "leads", entity: "leads", key: { template: "L-${id}" }, fields: { last_name: "name" } };
  const filtered = { ...leads, when: { name: "other" } };
  expect(await fatesOf([aChange()], {}, filtered)).toEqual(["accounts/7 accounts upsert", "leads/L-7 filtered"]);
  expect(await fatesOf([aChange(), unlisted(8)], listing, leads)).toEqual([
    "accounts/7 value-not-listed",
    "leads/L-7 value-not-listed",
    "accounts/8 value-not-listed",
    "leads/L-8 value-not-listed",
  ]);
});

test("what has no key, or is of another table or topic, is about nothing", async () => {
  expect(await fatesOf([aChange({ after: aRow({ id: null, name: "N" }), key: null })], {})).toEqual([]);
  expect(await fatesOf([aChange({ table: "sales.other" })], { table: "sales.customers" })).toEqual([]);
  expect(await fatesOf([aChange()], { topic: "another.topic" })).toEqual([]);
});

test("bytes that cannot be read are told apart from a registry that does not answer", async () => {
  const errant = { stage: "decode", reason: "invalid-json", message: "no" } as const;
  expect(await seenIn(aRecord(), reading({ decode: () => ({ status: "errant", errant }) }, {}))).toBeNull();
  expect(await seenIn(aRecord(), reading({ decode: () => ({ status: "skip", reason: "heartbeat" }) }, {}))).toEqual([]);
  const away = new ConnectorError("REGISTRY_UNREACHABLE", "no answer", { retriable: true });
  await expect(seenIn(aRecord(), reading({ decode: () => Promise.reject(away) }, {}))).rejects.toBe(away);
});
