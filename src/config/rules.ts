/** Rules over several settings. Each looks only at sections that are in order, so that it can run beside other faults. */
import { quotaProblems } from "../gate/config.ts";
import { redisProblems } from "../lib/redis-config.ts";
import { routesProblems } from "../map/problems.ts";
import type { CrossFieldFault, Path } from "./problem.ts";
import { isSecretName } from "./secrets.ts";
import type { Config } from "./spec.ts";
import { timingFaults } from "./timing.ts";
import { hasEncodedLogin, isUrl } from "./url-login.ts";

type Rule = (sections: Partial<Config>) => readonly CrossFieldFault[];

export const crossFieldFaults: Rule = (sections) => RULES.flatMap((rule) => rule(sections));

const avroNeedsRegistry: Rule = ({ routes = [], schemaRegistry }) => {
  if (schemaRegistry !== undefined) return [];
  const index = routes.findIndex(({ format, encoding = format, keyEncoding = "" }) =>
    [encoding, keyEncoding].some((name) => name.includes("avro")),
  );
  if (index < 0) return [];
  const message = "is Avro, whose schemas are in a registry: set schemaRegistry.url.";
  return [{ path: ["routes", index, "format"], message, severity: "error" }];
};

const deadLettersAreNotRead: Rule = ({ routes = [], deadLetter }) =>
  routes.flatMap(({ topic }, index) =>
    topic === deadLetter?.topic
      ? [
          {
            path: ["routes", index, "topic"],
            message: `${topic} is also deadLetter.topic, so that a bad record would come back for ever; name another topic.`,
            severity: "error" as const,
          },
        ]
      : [],
  );

const redisIsForReplicas: Rule = ({ kafka, redis }) =>
  kafka === undefined || redis !== undefined
    ? []
    : [
        {
          path: ["redis"],
          message: "is not set: only one replica may run, and it remembers nothing over a restart.",
          severity: "warning",
        },
      ];

const redisIsOne: Rule = ({ redis }) =>
  redis === undefined ? [] : redisProblems(redis).map((problem) => ({ ...problem, severity: "error" }));

const quotaFits: Rule = ({ quota }) =>
  quota === undefined ? [] : quotaProblems(quota).map((problem) => ({ ...problem, severity: "error" }));

const routesFit: Rule = ({ routes = [], sell }) => routesProblems(routes, { keyField: sell?.keyField ?? "erp_id" });

/** What stands behind the host is shown and logged, and a / that was not encoded moves half of a password there. */
const passwordsAreEncoded: Rule = ({ kafka, schemaRegistry, redis, sell }) =>
  textsIn({ kafka, schemaRegistry, redis, sell })
    .filter(({ path, text }) => !isSecretName(path.at(-1)) && isUrl(text) && !hasEncodedLogin(text))
    .map(({ path }) => ({ path, message: NOT_ENCODED, severity: "error" }));

const NOT_ENCODED =
  "has a user or password that is not encoded: write / as %2F, ? as %3F, # as %23, @ as %40, and % itself as %25.";

const textsIn = (value: unknown, path: Path = []): readonly { readonly path: Path; readonly text: string }[] => {
  if (typeof value === "string") return [{ path, text: value }];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => textsIn(inner, [...path, name]));
};

const RULES: readonly Rule[] = [
  passwordsAreEncoded,
  routesFit,
  quotaFits,
  timingFaults,
  avroNeedsRegistry,
  deadLettersAreNotRead,
  redisIsForReplicas,
  redisIsOne,
];
