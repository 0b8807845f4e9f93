/**
 * Changes to mutations. Routes are compiled once, so that per record only their functions run: row in, request body out.
 * A change that no route writes is skipped; one that a route cannot write is errant as a whole.
 */
import type { Change, Errant, Row } from "../domain/change.ts";
import { ConnectorError } from "../domain/errors.ts";
import type { Action, Mapped, Mutation } from "../domain/mutation.ts";
import type { ConsumerRecord } from "../domain/record.ts";
import type { Mapper } from "../domain/stages.ts";
import { type Body, compileBody, lastWordAsField } from "./body.ts";
import { type RouteConfig, routeName } from "./config.ts";
import { type RoutesOptions, routesProblems } from "./problems.ts";
import { compileKey, keyTemplate } from "./template.ts";
import { LEFT_OUT, Misfit } from "./value.ts";
import { compileWhen } from "./when.ts";

/**
 * Throws ConnectorError `ROUTES_INVALID` for routes that `routesProblems` finds errors in. The mapper itself never
 * throws for a change, never changes one, and gives the mutations in the order of the routes. Skip reasons: `no-route`,
 * `filtered`, `other-table`, `unmapped`, `delete-ignored`. Errant reasons: `no-identity`, `bad-value`, `value-not-listed`, `mapping-error`.
 */
export const compileRoutes = (routes: readonly RouteConfig[], options: RoutesOptions): Mapper => {
  const broken = routesProblems(routes, options).find(({ severity }) => severity === "error");
  if (broken !== undefined)
    throw new ConnectorError("ROUTES_INVALID", `${broken.path.join(".")}: ${broken.message}`, { retriable: false });

  const byTopic = Map.groupBy(routes.map(compileRoute), ({ topic }) => topic);
  return {
    map(change, record): Mapped {
      const mutations: Mutation[] = [];
      let skipped: SkipReason = "no-route";
      for (const route of byTopic.get(record.position.topic) ?? []) {
        const result = route.map(change, record);
        if (result instanceof Misfit) return { status: "errant", errant: errantOf(result, route.name) };
        if (typeof result === "string") skipped = result;
        else mutations.push(result);
      }
      return mutations.length > 0 ? { status: "mutations", mutations } : { status: "skip", reason: skipped };
    },
  };
};

/** A record of the CRM that a change is about, and the route that says so. */
export interface Identity {
  readonly entity: Mutation["entity"];
  readonly key: string;
  readonly route: string;
}

/** The keys of a change in the order of the routes, whatever these make of it: also of what they skip or cannot write. */
export const compileIdentities = (
  routes: readonly RouteConfig[],
): ((change: Change, topic: string) => readonly Identity[]) => {
  const compiled = routes.map((route) => ({
    route,
    name: routeName(route),
    keyOf: compileKey(keyTemplate(route.key)),
  }));
  return (change, topic) =>
    compiled.flatMap(({ route, name, keyOf }) => {
      if (route.topic !== topic || (route.table !== undefined && change.table !== route.table)) return [];
      const key = keyOf(rowOf(change, route), change.key);
      return typeof key === "string" ? [{ entity: route.entity, key, route: name }] : [];
    });
};

type SkipReason = "no-route" | "filtered" | "other-table" | "unmapped" | "delete-ignored";

interface CompiledRoute {
  readonly topic: string;
  readonly name: string;
  map(change: Change, record: ConsumerRecord): Mutation | Misfit | SkipReason;
}

const compileRoute = (route: RouteConfig): CompiledRoute => {
  const name = routeName(route);
  const passes = compileWhen(route.when);
  const keyOf = compileKey(keyTemplate(route.key));
  const upsertOf = compileUpsert(route);
  const deleteOf = compileDelete(route);
  return {
    topic: route.topic,
    name,
    map(change, record) {
      if (route.table !== undefined && change.table !== route.table) return "other-table";
      const isDelete = change.op === "d";
      const row = rowOf(change, route);
      const passed = passes(row, isDelete || change.isPatch === true);
      if (passed !== true) return passed || "filtered";
      const write = isDelete ? deleteOf(row) : change.isPatch === true ? patchOf(upsertOf(row)) : upsertOf(row);
      if (write instanceof Misfit || typeof write === "string") return write;
      const key = keyOf(row, change.key);
      if (key instanceof Misfit) return key;
      if (key === null || key === LEFT_OUT) return noIdentity(route, isDelete);
      return {
        entity: route.entity,
        key,
        action: write.action,
        fields: write.body.fields,
        onCreate: write.body.onCreate,
        refs: write.body.refs,
        complete: write.body.complete,
        lane: route.lane === "backfill" || isRead(change) ? "backfill" : "live",
        route: name,
        onMissing: route.onMissing,
        // Without a version nothing is ever judged stale.
        version: route.guard ? change.version : null,
        origin: change.origin,
        tombstone: change.tombstone,
        isDelete,
        sourceTsMs: change.sourceTsMs,
        record,
      };
    },
  };
};

interface Write {
  readonly action: Action;
  readonly body: Body;
}

const ACTIONS = { upsert: "upsert", updateOnly: "update", createOnly: "create" } as const;

const compileUpsert = ({ mode, fields }: RouteConfig): ((row: Row) => Write | Misfit) => {
  const action = ACTIONS[mode];
  const bodyOf = compileBody(fields);
  return (row) => {
    const body = bodyOf(row);
    return body instanceof Misfit ? body : { action, body };
  };
};

/** A patch is of a row that exists, and what it leaves out is not known: it must never create. */
const patchOf = (write: Write | Misfit): Write | Misfit | SkipReason => {
  if (write instanceof Misfit) return write;
  const { fields, refs } = write.body;
  if (write.action === "create" || (refs.length === 0 && Object.keys(fields).length === 0)) return "unmapped";
  return { action: "update", body: { ...write.body, complete: false } };
};

const NOTHING: Body = { fields: {}, onCreate: {}, refs: [], complete: true };

const compileDelete = ({ onDelete }: RouteConfig): ((row: Row) => Write | Misfit | SkipReason) => {
  if (onDelete === "ignore") return () => "delete-ignored";
  if (onDelete === "delete") return () => ({ action: "delete", body: NOTHING });
  const words = Object.entries(onDelete.update).map(([path, word]) => [path, lastWordAsField(word)] as const);
  const bodyOf = compileBody(Object.fromEntries(words));
  return (row) => {
    const body = bodyOf(row);
    if (body instanceof Misfit) return body;
    if (Object.keys(body.fields).length === 0) return new Misfit("mapping-error", NOTHING_KNOWN);
    // Never a full image: it says nothing about the route's other fields.
    return { action: "update", body: { ...body, complete: false } };
  };
};

const NOTHING_KNOWN =
  'none of the columns that "onDelete.update" reads came with the delete; write constants, or let the source send whole rows and set replicaIdentity: full';

const EMPTY: Row = Object.freeze(Object.create(null));

const rowOf = (change: Change, route: RouteConfig): Row =>
  change.op === "d" ? lastKnownRow(change, route) : (change.after ?? EMPTY);

/**
 * What a delete still tells. With a record key and default replica identity, everything in `before` but the key may be
 * filler ("" or 0 where the row had a value), so only the key counts; a delete without key can only be a whole row.
 */
const lastKnownRow = (change: Change, { replicaIdentity }: RouteConfig): Row => {
  const isWhole = replicaIdentity === "full" || change.key === null;
  return (isWhole ? change.before : null) ?? change.key ?? EMPTY;
};

const isRead = ({ op, origin }: Change): boolean => op === "r" || origin === "snapshot" || origin === "incremental";

const noIdentity = ({ replicaIdentity }: RouteConfig, isDelete: boolean): Misfit => {
  const way =
    isDelete && replicaIdentity === "default"
      ? "take the key from the record key's columns, or let the source send whole rows and set replicaIdentity: full"
      : "take the key from columns that always have a value";
  return new Misfit("no-identity", `a column of the key is null, empty or was not sent; ${way}`);
};

const errantOf = ({ reason, why, field }: Misfit, route: string): Errant => ({
  stage: "map",
  reason,
  message: `Route "${route}"${field === null ? "" : `, field "${field}"`}: ${why}.`,
  ...(field === null ? {} : { field }),
});
