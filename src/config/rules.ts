/** Rules over several settings. Each looks only at sections that are in order, so that it can run beside other faults. */
import { quotaProblems } from "../gate/config.ts";
import { redisProblems } from "../lib/redis-config.ts";
import { routesProblems } from "../map/problems.ts";
import type { CrossFieldFault } from "./problem.ts";
import type { Config } from "./spec.ts";
import { timingFaults } from "./timing.ts";

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

const RULES: readonly Rule[] = [
  routesFit,
  quotaFits,
  timingFaults,
  avroNeedsRegistry,
  deadLettersAreNotRead,
  redisIsForReplicas,
  redisIsOne,
];
