/** What is wrong between routes: names, topics read in two ways, keys of one entity that may meet, references that miss. */
import { isDeepStrictEqual } from "node:util";
import { type RouteConfig, routeName } from "./config.ts";
import type { FieldExpression } from "./expression-config.ts";
import type { RouteProblem } from "./route-problem.ts";
import { keyTemplate, type Template } from "./template.ts";

export const conflicts = (routes: readonly RouteConfig[]): readonly RouteProblem[] =>
  routes.flatMap((route, index) => {
    const earlier = routes.slice(0, index);
    const problems = [
      ...sameName(route, earlier),
      ...sameTopic(route, earlier),
      ...sameEntity(route, earlier),
      ...missedReferences(route, routes),
    ];
    return problems.map(({ path, message }) => ({
      path: ["routes", index, ...path],
      message,
      severity: "error" as const,
    }));
  });

interface Conflict {
  readonly path: readonly string[];
  readonly message: string;
}

const sameName = (route: RouteConfig, earlier: readonly RouteConfig[]): readonly Conflict[] => {
  const name = routeName(route);
  if (!earlier.some((other) => routeName(other) === name)) return [];
  return [{ path: ["name"], message: `"${name}" is the name of an earlier route too; give one of them another name.` }];
};

/** A topic is decoded once, whatever number of routes read it. */
const PER_TOPIC = [
  ...(["format", "encoding", "keyEncoding", "hints", "keyColumns", "versionColumns", "deleteFlag"] as const),
  ...(["beforeField", "unavailableValuePlaceholder", "replicaIdentity", "startFrom"] as const),
];

const sameTopic = (route: RouteConfig, earlier: readonly RouteConfig[]): readonly Conflict[] => {
  const first = earlier.find(({ topic }) => topic === route.topic);
  if (first === undefined) return [];
  return PER_TOPIC.filter((setting) => !isDeepStrictEqual(first[setting], route[setting])).map((setting) => ({
    path: [setting],
    message: `differs from route "${routeName(first)}", which reads ${route.topic} too; a topic is read in one way.`,
  }));
};

const sameEntity = (route: RouteConfig, earlier: readonly RouteConfig[]): readonly Conflict[] =>
  earlier
    .filter((other) => other.entity === route.entity && mayMeet(keyTemplate(other.key), keyTemplate(route.key)))
    .map((other) => ({
      path: ["key"],
      message: `may be a key of route "${routeName(other)}" too, and two routes would overwrite each other's ${route.entity}; make one topic of both (a view, an outbox, a stream join), or give their keys templates with different beginnings, like C-\${id} and S-\${id}.`,
    }));

/** Two keys differ for sure only when the constant beginning of neither begins the other's. */
const mayMeet = (a: Template, b: Template): boolean => {
  const [one = ""] = a.literals;
  const [other = ""] = b.literals;
  return one.startsWith(other) || other.startsWith(one);
};

const missedReferences = ({ fields }: RouteConfig, routes: readonly RouteConfig[]): readonly Conflict[] =>
  Object.entries(fields).flatMap(([name, expression]) => {
    const message = missedReference(expression, routes);
    return message === null ? [] : [{ path: ["fields", name], message }];
  });

/** An entity that no route writes may be there from elsewhere: nothing to compare with. */
const missedReference = (expression: FieldExpression, routes: readonly RouteConfig[]): string | null => {
  if (typeof expression === "string") return null;
  if ("each" in expression) {
    const parts = Object.values(expression.each).map((part) => missedReference(part, routes));
    return parts.find((message) => message !== null) ?? null;
  }
  if (!("ref" in expression)) return null;
  const parents = routes.filter(({ entity }) => entity === expression.ref);
  const shape = shapeOf(keyTemplate(expression.key));
  const shapes = parents.map(({ key }) => shapeOf(keyTemplate(key)));
  if (parents.length === 0 || shapes.includes(shape)) return null;
  const known = [...new Set(shapes)].join(" or ");
  return `looks for ${expression.ref} under ${shape}, but their own route writes them under ${known}; build the key alike.`;
};

/** `C-<column>`: what a key looks like, whatever its columns are called. */
const shapeOf = ({ literals }: Template): string => literals.join("<column>");
