/**
 * Where the services are and how to log in, as `init` is told: by the sections of a file, which are taken over word for word,
 * and by options. Secrets stay `${NAME}` or `file:/path` in what is written; one in plain text is refused.
 */
import { Document, isMap, parseDocument } from "yaml";
import { z } from "zod";
import { type Finding, findings } from "../config/issues.ts";
import { type Path, type Problem, pathText } from "../config/problem.ts";
import type { SchemaNode } from "../config/schema-node.ts";
import { isSecretName, secretFile } from "../config/secrets.ts";
import { configSchema } from "../config/spec.ts";
import { hasEncodedLogin, isUrl } from "../config/url-login.ts";
import { readYaml, type Surroundings } from "../config/yaml-source.ts";
import { inFlow, remark, remarkBefore } from "./notes.ts";

/** By option; undefined where nobody said it. An address may name variables: `${REDIS_URL}`. */
export interface Named {
  readonly brokers?: readonly string[] | undefined;
  readonly group?: string | undefined;
  readonly registry?: string | undefined;
  readonly redis?: string | undefined;
  readonly sellUrl?: string | undefined;
  readonly keyField?: string | undefined;
}

export type Places = z.infer<typeof PLACES>;

export interface Connections {
  readonly status: "ok";
  /** As it shall be written, but for routes. */
  readonly document: Document;
  /** Filled in, for asking. */
  readonly places: Places;
  /** Its address was named: it is asked for custom fields. */
  readonly isSellNamed: boolean;
}

type Refused = { readonly status: "refused"; readonly problems: readonly Problem[] };

/** Environment variable that Sell's token is read from, and that the file names. */
export const TOKEN_VARIABLE = "SELL_TOKEN";

/** `text` is the file's, null where there is none. A problem of an option begins with its name. */
export const connectionsIn = (text: string | null, named: Named, surroundings: Surroundings): Connections | Refused => {
  const given = readYaml(text ?? "", surroundings);
  const document = text === null ? new Document({}) : parseDocument(text);
  if (given.data === undefined && given.problems.length > 0) return { status: "refused", problems: given.problems };
  if (!isMap(document.contents)) return { status: "refused", problems: [NO_SETTINGS] };
  const isSellNamed = named.sellUrl !== undefined || document.hasIn(PATHS.sellUrl);
  complete(document, named);
  const written = readYaml(String(document), surroundings);
  const parsed = PLACES.safeParse(pick(written.data), { reportInput: true });
  const lineOf = (path: string): number | null => given.problems.find((known) => known.path === path)?.line ?? null;
  const problems = [
    ...written.problems.map((problem) => ({ ...problem, line: lineOf(problem.path) })),
    ...[...plainSecrets(document.toJS(), []), ...(parsed.success ? [] : faults(parsed.error))].map(
      ({ path, message }): Problem => ({
        path: pathText(path),
        line: text === null ? null : given.lineOf(path),
        message,
      }),
    ),
  ]
    .filter(({ path }) => isSellNamed || path !== "sell.token")
    .filter(({ path }, at, all) => all.findIndex((other) => other.path === path) === at)
    .map((problem) => asTyped(problem, named));
  if (problems.length > 0 || !parsed.success) return { status: "refused", problems };
  return { status: "ok", document, places: parsed.data, isSellNamed };
};

const PLACES = configSchema.pick({ kafka: true, schemaRegistry: true, redis: true, sell: true, quota: true });

const pick = (data: unknown): unknown =>
  Object.fromEntries(Object.entries(data ?? {}).filter(([name]) => name in PLACES.shape));

const faults = ({ issues }: z.ZodError): readonly Finding[] =>
  findings(issues, z.toJSONSchema(PLACES, { io: "input", unrepresentable: "any" }) as SchemaNode, []);

const NO_SETTINGS: Problem = {
  path: "",
  line: 1,
  message: "it holds no settings; write kafka, and schemaRegistry, redis or sell, as in a configuration.",
};

const PATHS = {
  brokers: ["kafka", "brokers"],
  group: ["kafka", "groupId"],
  registry: ["schemaRegistry", "url"],
  redis: ["redis", "url"],
  sellUrl: ["sell", "baseUrl"],
  keyField: ["sell", "keyField"],
} as const satisfies Record<keyof Named, Path>;

const OPTIONS: Readonly<Record<keyof Named, string>> = {
  brokers: "--brokers",
  group: "--group",
  registry: "--registry",
  redis: "--redis",
  sellUrl: "--sell-url",
  keyField: "--key-field",
};

const NAMES = Object.keys(PATHS) as readonly (keyof Named)[];

/** As the person knows it who typed it. */
const asTyped = (problem: Problem, named: Named): Problem => {
  const name = NAMES.find((one) => named[one] !== undefined && problem.path.startsWith(pathText(PATHS[one])));
  return name === undefined ? problem : { path: "", line: null, message: `${OPTIONS[name]} ${problem.message}` };
};

/** What options say, then what nobody said; sections that the file has stay as they are written there. */
const complete = (document: Document, named: Named): void => {
  document.delete("routes");
  const isNew = SECTIONS.filter((name) => !document.has(name));
  for (const name of NAMES) if (named[name] !== undefined) put(document, PATHS[name], named[name]);
  const missing = DEFAULTS.filter(({ path, unless = path }) => !document.hasIn(unless));
  for (const { path, value } of missing) put(document, path, value);
  for (const name of isNew) if (name !== "sell") inFlow(document.get(name));
  for (const { path, place = path, note } of missing) if (note !== undefined) remark(document, place, note);
  if (!document.has("redis")) remarkBefore(document, "sell", NO_REDIS);
};

const put = (document: Document, path: Path, value: unknown): void => {
  const [section = ""] = path;
  // As a pair of nodes: setIn alone would make a key of a bare text, which no comment can be put to.
  if (!document.has(section)) document.set(document.createNode(section), document.createNode({}));
  document.setIn(path, document.createNode(value));
};

const SECTIONS = ["kafka", "schemaRegistry", "redis", "quota"];

interface Default {
  readonly path: Path;
  readonly value: string;
  /** What stands there instead of it. */
  readonly unless?: Path;
  readonly note?: string;
  /** Where the note goes. */
  readonly place?: Path;
}

const DEFAULTS: readonly Default[] = [
  { path: PATHS.group, value: "sell-sink" },
  { path: PATHS.sellUrl, value: configSchema.shape.sell.shape.baseUrl.parse(undefined) },
  {
    path: ["sell", "token"],
    value: `\${${TOKEN_VARIABLE}}`,
    note: "or file:/run/secrets/sell-token, which is read again when it changes",
  },
  {
    path: PATHS.keyField,
    value: "erp_id",
    note: "custom field in Sell that holds the ERP key: single-line text, filterable",
  },
  {
    path: ["quota", "profile"],
    value: "customer",
    unless: ["quota"],
    note: "200 calls a minute for the account",
    place: ["quota"],
  },
];

const NO_REDIS = 'redis: { url: "redis://redis:6379" } # for several replicas, and a memory over restarts';

/** Each secret, and each address with a password in it, that a file which is shown around would hold as it is. */
const plainSecrets = (value: unknown, path: Path): readonly Finding[] => {
  if (typeof value === "object" && value !== null)
    return Object.entries(value).flatMap(([name, item]) => plainSecrets(item, [...path, name]));
  if (typeof value !== "string" || value.includes("${")) return [];
  const isSecret = isSecretName(path.at(-1)) ? secretFile(value) === null : holdsPassword(value);
  return isSecret ? [{ path, message: PLAIN }] : [];
};

const holdsPassword = (text: string): boolean =>
  Boolean(URL.parse(text)?.password) || (isUrl(text) && !hasEncodedLogin(text));

const PLAIN =
  "is a secret in plain text, or holds one, and would be written so; put it into the environment and write ${NAME} (in single quotes on a command line), or file:/path of a file that holds nothing else.";
