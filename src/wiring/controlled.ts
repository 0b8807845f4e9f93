/** What of the configuration people control while it runs, and where they leave their notes. */
import type { Config } from "../config/spec.ts";
import { boardKeyPrefix } from "../control/board.ts";
import type { ControlledRoute } from "../control/controls.ts";
import { routeName } from "../map/config.ts";

export const controlledRoutes = ({ routes }: Pick<Config, "routes">): readonly ControlledRoute[] =>
  routes.map((route) => ({
    ...{ name: routeName(route), topic: route.topic, paused: route.paused ?? null, brake: route.brake },
  }));

/** The same for a replica and for whoever tells it something, without a question to Sell. */
export const controlPrefix = ({ sell, kafka }: Pick<Config, "sell" | "kafka">): string =>
  boardKeyPrefix({ baseUrl: sell.baseUrl, account: sell.account, groupId: kafka.groupId });
