/** What is wrong with a route, as one sentence with a place. */
export interface RouteProblem {
  /** Place in the whole configuration: `["routes", 0, "fields", "name"]`. */
  readonly path: readonly (string | number)[];
  /** What is wrong and what to do, to be read behind the path. */
  readonly message: string;
  /** A warning may be meant so; an error keeps the connector from starting. */
  readonly severity: "error" | "warning";
}
