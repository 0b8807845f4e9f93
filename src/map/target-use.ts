/** What the routes rely on in the account: its custom fields and their choices, its users, its stages. */
import type { TargetUse } from "../domain/target-use.ts";
import { lastWordAsField, splitPath } from "./body.ts";
import { type RouteConfig, routeName } from "./config.ts";
import type { FieldExpression, NameExpression } from "./expression-config.ts";
import { constantsOf } from "./field-problems.ts";

/** In the order of the configuration. */
export const targetUses = (routes: readonly RouteConfig[]): readonly TargetUse[] =>
  routes.flatMap((route) => {
    const { entity, fields, onDelete } = route;
    const name = `Route "${routeName(route)}"`;
    const lastWords = typeof onDelete === "object" ? Object.entries(onDelete.update) : [];
    return [
      { entity, where: name, what: { kind: "key" } as const },
      ...Object.entries(fields).flatMap(([path, expression]) =>
        usesOf(path, expression).map((what) => ({ entity, where: `${name}, field "${path}"`, what })),
      ),
      ...lastWords.flatMap(([path, word]) =>
        usesOf(path, lastWordAsField(word)).map((what) => ({
          entity,
          where: `${name}, onDelete.update "${path}"`,
          what,
        })),
      ),
    ];
  });

const usesOf = (path: string, expression: FieldExpression): readonly TargetUse["what"][] => {
  const [group, name] = splitPath(path);
  if (group === "custom_fields") return [{ kind: "custom-field", name, values: constantsOf(expression) }];
  if (typeof expression === "string") return [];
  if ("owner" in expression) return namesIn(expression.owner).map((email) => ({ kind: "owner", email }));
  if (!("stage" in expression)) return [];
  const { pipeline = null } = expression;
  return namesIn(expression.stage).map((stage) => ({ kind: "stage", stage, pipeline }));
};

/** The names that the configuration itself holds; null beside them for those that only the records tell. */
const namesIn = (expression: NameExpression): readonly (string | null)[] => {
  if (typeof expression === "string") return [expression];
  if ("template" in expression) return [null];
  const { values, default: fallback } = expression;
  const constants = [...Object.values(values ?? {}), fallback ?? null].filter((value) => value !== null).map(String);
  return values === undefined ? [null, ...constants] : constants;
};
