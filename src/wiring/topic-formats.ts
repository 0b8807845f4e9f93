/** What the routes say of each topic, in the words of the decoder. */
import type { Config } from "../config/spec.ts";
import type { TopicFormat } from "../decode/decoder.ts";
import { columnUses } from "../map/mapped-columns.ts";

export const topicsOf = ({ routes }: Pick<Config, "routes">): readonly string[] => [
  ...new Set(routes.map(({ topic }) => topic)),
];

/** Routes of one topic agree in how it is read: `validate` sees to it. */
export const formatsOf = ({ routes }: Pick<Config, "routes">): ReadonlyMap<string, TopicFormat> =>
  new Map(routes.map((route) => [route.topic, { ...route, uses: columnUses(routes, route.topic) }]));
