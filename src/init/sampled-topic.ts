/** A topic as far as a look at some of its records tells it. */
import type { RouteConfig } from "../map/config.ts";
import type { Column } from "./columns.ts";
import type { Proposed } from "./synonyms.ts";

export interface SampledTopic {
  readonly topic: string;
  readonly format: RouteConfig["format"];
  /** Absent: the format's own. */
  readonly encoding?: RouteConfig["encoding"];
  readonly keyEncoding?: RouteConfig["keyEncoding"];
  /** As the records name it; null: they do not. */
  readonly table: string | null;
  /** Columns of the record key. Empty: it tells none. */
  readonly key: readonly string[];
  readonly columns: readonly Column[];
  /** Known from documents only, or of several tables: the route has to say more than others. */
  readonly isUnverified: boolean;
  /** What somebody said it becomes; null: its name has to tell. */
  readonly wanted: Proposed | null;
  /** Records that were looked at. */
  readonly records: number;
}
