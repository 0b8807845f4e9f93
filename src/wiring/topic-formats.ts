/** What the routes say of each topic. */
import type { Config } from "../config/spec.ts";
import type { TopicFormat } from "../decode/decoder.ts";
import type { Entity } from "../domain/mutation.ts";
import { columnUses } from "../map/mapped-columns.ts";

export const topicsOf = ({ routes }: Pick<Config, "routes">): readonly string[] => [
  ...new Set(routes.map(({ topic }) => topic)),
];

/** The topics that records of an entity come from. */
export const originsOf = ({ routes }: Pick<Config, "routes">): ((entity: Entity) => readonly string[]) => {
  const byEntity = Map.groupBy(routes, ({ entity }) => entity);
  const origins = new Map([...byEntity].map(([entity, of]) => [entity, topicsOf({ routes: of })]));
  return (entity) => origins.get(entity) ?? [];
};

/** Topics that are read as backfill by all their routes. */
export const backfillsOf = ({ routes }: Pick<Config, "routes">): ReadonlySet<string> => {
  const live = new Set(routes.filter(({ lane }) => lane === "live").map(({ topic }) => topic));
  return new Set(topicsOf({ routes }).filter((topic) => !live.has(topic)));
};

/** Routes of one topic agree in how it is read: `validate` sees to it. */
export const formatsOf = ({ routes }: Pick<Config, "routes">): ReadonlyMap<string, TopicFormat> =>
  new Map(routes.map((route) => [route.topic, { ...route, uses: columnUses(routes, route.topic) }]));
