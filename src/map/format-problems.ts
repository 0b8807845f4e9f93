/** What is wrong with how a topic is said to be written. */
import type { RouteConfig } from "./config.ts";
import type { RouteProblem } from "./route-problem.ts";
import { checkTypes } from "./untyped-columns.ts";

/** Paths are relative to the route. */
export const formatProblems = (route: RouteConfig): readonly RouteProblem[] => [
  ...checkVerified(route),
  ...checkEncoding(route),
  ...checkPlainRows(route),
  ...checkBeforeField(route),
  ...checkTable(route),
  ...checkTypes(route),
];

type Format = RouteConfig["format"];

/** Formats of which no record was at hand, and where their rules come from instead. */
const UNVERIFIED: Readonly<Partial<Record<Format, string>>> = {
  mongodb: "Debezium's documentation",
  maxwell: "Maxwell's documentation",
  canal: "Canal's source",
  goldengate: "Oracle's documentation",
  "confluent-oracle": "Confluent's documentation",
  qlik: "Qlik's documentation",
  dms: "the documentation of AWS",
  "sap-odq": "SAP's documentation, with assumed field names",
};

/** Whether a route has to say `unverified: true`. */
export const isFromDocuments = (format: Format): boolean => UNVERIFIED[format] !== undefined;

const checkVerified = ({ format, unverified }: RouteConfig): readonly RouteProblem[] => {
  const known = UNVERIFIED[format];
  if (known === undefined || unverified) return [];
  const message = `was built from ${known}, and no record of it was at hand; try it on a copy of your topic with a sandbox, then set unverified: true.`;
  return [{ path: ["format"], message, severity: "error" }];
};

const checkEncoding = ({ format, encoding }: RouteConfig): readonly RouteProblem[] => {
  const kind = (name: string): string | null => /json|avro/.exec(name)?.[0] ?? null;
  const own = kind(format);
  if (encoding === undefined || own === null || kind(encoding) === own) return [];
  const message = `contradicts format ${format}; write format ${format.replace(own, kind(encoding) ?? "")}, or leave it out.`;
  return [{ path: ["encoding"], message, severity: "error" }];
};

const checkPlainRows = (route: RouteConfig): readonly RouteProblem[] => {
  if (route.format === "json" || route.format === "avro") return [];
  return (["versionColumns", "deleteFlag"] as const)
    .filter((setting) => route[setting] !== undefined)
    .map((setting) => ({
      path: [setting],
      message: `is for plain rows, format json or avro; records of ${route.format} tell it themselves.`,
      severity: "error",
    }));
};

const checkBeforeField = ({ format, beforeField }: RouteConfig): readonly RouteProblem[] =>
  beforeField === undefined || format === "dms"
    ? []
    : [
        {
          path: ["beforeField"],
          message: `is for format dms; records of ${format} tell where the row before stands.`,
          severity: "error",
        },
      ];

/** Products that write all tables to one topic unless they are told otherwise. */
const MIXED: ReadonlySet<Format> = new Set(["maxwell", "canal", "dms"]);

const checkTable = ({ format, table }: RouteConfig): readonly RouteProblem[] =>
  table !== undefined || !MIXED.has(format)
    ? []
    : [
        {
          path: ["format"],
          message: "may bring rows of several tables, all of which are written; name the one in table.",
          severity: "warning",
        },
      ];
