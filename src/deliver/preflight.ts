/** Compares what the mapping relies on with the account: its custom fields and their choices, its users, its stages. */
import type { CustomField } from "../domain/custom-field.ts";
import { ConnectorError } from "../domain/errors.ts";
import type { TargetProblem, TargetUse } from "../domain/target-use.ts";
import { nearest } from "../lib/nearest.ts";
import type { Json } from "./call.ts";
import type { Directory } from "./directory.ts";
import type { Listing } from "./listing.ts";
import { isRecord, keyFilter, type Resource, resourceOf } from "./resources.ts";
import type { Reply, WireRequest } from "./wire.ts";

export interface PreflightDeps {
  readonly keyField: string;
  readonly directory: Directory;
  readonly fieldsOf: (path: string) => Listing<CustomField>;
  /** Gives successes and those refusals that `isAnswer` expects; rejects with a ConnectorError for all others. */
  readonly ask: (request: WireRequest, isAnswer: (status: number) => boolean) => Promise<Reply>;
}

/** All problems at once, each about one place of the configuration. */
export const preflight = async (uses: readonly TargetUse[], deps: PreflightDeps): Promise<readonly TargetProblem[]> => {
  const closed = new Set<string>();
  const read = async (listing: Listing<unknown>, what: string): Promise<void> => {
    if (!(await readListing(listing, deps.ask))) closed.add(what);
  };
  const problems: TargetProblem[] = [];
  const kinds = new Set(uses.map(({ what }) => what.kind));
  if (kinds.has("owner")) await read(deps.directory.users, "users");
  if (kinds.has("stage")) {
    await read(deps.directory.pipelines, "pipelines");
    await read(deps.directory.stages, "stages");
  }
  for (const [path, ofPath] of Map.groupBy(uses, ({ entity }) => resourceOf(entity).customFieldsPath)) {
    if (path === null) continue;
    const listing = deps.fieldsOf(path);
    await read(listing, path);
    if (closed.has(path)) continue;
    problems.push(...ofPath.flatMap((use) => fieldProblems(use, listing.items, deps.keyField)));
    problems.push(...(await keyProblems(ofPath, listing.items, deps)));
  }
  problems.push(...uses.flatMap((use) => nameProblems(use, deps.directory, closed)));
  problems.push(...[...closed].map(unreadable));
  return problems;
};

/** The whole list, unless it was read just now. False: the token's user may not read it. */
export const readListing = async (listing: Listing<unknown>, ask: PreflightDeps["ask"]): Promise<boolean> => {
  while (listing.ageMs > FRESH_MS) {
    const { request, take } = listing.next();
    const reply = await ask(request, (status) => status === 403);
    if (reply.status === 403) return false;
    if (!take(reply.body)) throw noList(request.path);
  }
  return true;
};

/** A list that was read for this comparison is not read twice. */
const FRESH_MS = 60_000;

export const noList = (path: string): ConnectorError =>
  new ConnectorError("SELL_UNREACHABLE", `Sell answers ${path} with no list; trying again.`, { retriable: true });

const error = (message: string): TargetProblem => ({ severity: "error", message });

const unreadable = (what: string): TargetProblem => ({
  severity: "warning",
  message: `The token's user may not read ${what} in Sell, so that names could not be compared; give that user the right.`,
});

const keyProblems = async (
  uses: readonly TargetUse[],
  fields: readonly CustomField[],
  { keyField, ask }: PreflightDeps,
): Promise<readonly TargetProblem[]> => {
  const use = uses.find(({ what }) => what.kind === "key");
  if (use === undefined) return [];
  const resource = resourceOf(use.entity);
  const field = fields.find(({ name }) => name === keyField);
  if (field === undefined) {
    const meant = nearest(
      keyField,
      fields.map(({ name }) => name),
    );
    const hint = meant === null ? "" : ` Did you mean ${meant}?`;
    return [
      error(
        `Sell has no custom field "${keyField}" on ${nounOf(resource)}, which is to hold the ERP key: create it in Sell's settings as single-line text, marked filterable, or name another in sell.keyField.${hint}`,
      ),
    ];
  }
  return (await isFilterable(field, resource, keyField, ask)) ? [] : [unfilterable(keyField, resource, field)];
};

/** Sell does not say which of its fields are; only a question by one does. */
const isFilterable = async (
  { type }: CustomField,
  resource: Resource,
  keyField: string,
  ask: PreflightDeps["ask"],
): Promise<boolean> => {
  if (NEVER_FILTERABLE.has(type)) return false;
  const path = `${resource.corePath}?per_page=1&${keyFilter(resource, keyField, "0")}`;
  const { status } = await ask({ method: "GET", path, body: null }, (refused) => refused === 400 || refused === 403);
  return status !== 400;
};

const NEVER_FILTERABLE: ReadonlySet<string> = new Set(["text", "bool", "email", "phone", "url", "address"]);

const unfilterable = (keyField: string, resource: Resource, { type }: CustomField): TargetProblem =>
  error(
    `Sell cannot find ${nounOf(resource)} by the custom field "${keyField}" (${type}): it has to be single-line text and marked filterable in Sell's settings, or name another in sell.keyField.`,
  );

const fieldProblems = ({ entity, where, what }: TargetUse, fields: readonly CustomField[], keyField: string) => {
  const name = what.kind === "key" ? keyField : what.kind === "custom-field" ? what.name : null;
  const field = fields.find((known) => known.name === name);
  if (name === null || (what.kind === "key" && field === undefined)) return [];
  if (field === undefined) return [error(`${where}: ${missing(name, entity, fields)}`)];
  const kind = entity === "accounts" ? "companies" : "persons";
  const isForKind = entity === "accounts" ? field.forCompanies : entity === "contacts" ? field.forPersons : true;
  if (!isForKind)
    return [error(`${where}: the custom field "${name}" is not for ${kind}; change that in Sell's settings.`)];
  const { choices } = field;
  if (what.kind !== "custom-field" || choices === null) return [];
  return what.values
    .filter((value) => !choices.includes(value))
    .map((value) => error(`${where}: "${value}" is no choice of "${name}"; Sell has ${listed(choices)}.`));
};

const missing = (name: string, entity: string, fields: readonly CustomField[]): string => {
  const names = fields.map((field) => field.name);
  const meant = nearest(name, names);
  const hint = meant === null ? `it has ${listed(names)}` : `did you mean ${meant}?`;
  return `Sell has no custom field "${name}" on ${entity}; ${hint}${hint.endsWith("?") ? "" : "."}`;
};

const nameProblems = ({ where, what }: TargetUse, directory: Directory, closed: ReadonlySet<string>) => {
  if (what.kind === "owner" && what.email !== null && !closed.has("users")) {
    const found = directory.owner(what.email);
    return "id" in found ? [] : [error(`${where}: of ${what.email} Sell says: ${found.why}.`)];
  }
  if (what.kind !== "stage" || closed.has("stages") || closed.has("pipelines")) return [];
  const { stage, pipeline } = what;
  const pipelines = directory.pipelines.items.map(({ name }) => name);
  if (stage === null) {
    const isKnown = pipeline === null || directory.hasPipeline(pipeline);
    return isKnown ? [] : [error(`${where}: Sell has no pipeline "${pipeline}"; it has ${listed(pipelines)}.`)];
  }
  const found = directory.stage(stage, pipeline);
  if ("id" in found) return [];
  const place = pipeline === null ? "" : ` in pipeline "${pipeline}"`;
  const stages = directory.stagesOf(pipeline).map(({ name }) => name);
  const known = stages.length === 0 ? `pipelines ${listed(pipelines)}` : listed(stages);
  return [error(`${where}: of stage "${stage}"${place} Sell says: ${found.why}; it has ${known}.`)];
};

const NAMES_MAX = 20;
const listed = (names: readonly string[]): string =>
  names.length === 0 ? "none" : names.slice(0, NAMES_MAX).join(", ") + (names.length > NAMES_MAX ? ", ..." : "");

/** Accounts and contacts are one resource with one set of definitions. */
const nounOf = ({ corePath }: Resource): string => corePath.slice(corePath.lastIndexOf("/") + 1);

export const readCustomField = (data: Json): CustomField | null => {
  const { name, type, choices, for_company: forCompanies, for_contact: forPersons } = data;
  if (typeof name !== "string") return null;
  return {
    name,
    type: typeof type === "string" ? type : "",
    choices: Array.isArray(choices) && choices.length > 0 ? choices.map(choiceName) : null,
    forCompanies: forCompanies !== false,
    forPersons: forPersons !== false,
  };
};

const choiceName = (choice: unknown): string => String(isRecord(choice) ? choice["name"] : choice);
