/** What rules and dashboards ask of Prometheus, and of which series. */
import type { Manifest } from "./render.ts";

/** All queries of a dashboard, with its variables filled in. */
export const queriesOf = (dashboard: Manifest): readonly string[] => {
  const panels: readonly Manifest[] = dashboard.panels;
  const annotations: readonly Manifest[] = dashboard.annotations.list;
  const targets = panels.flatMap(({ targets = [] }) => targets.map(({ expr }: Manifest) => expr));
  return [...targets, ...annotations.map(({ expr }) => expr)].map((expr: string) => expr.replace(/\$\w+/g, ".*"));
};

/** What Prometheus or the scrape's configuration adds to every series. */
const ADDED = new Set(["namespace", "pod", "instance", "job", "le", "alertname", "severity"]);

export interface Reference {
  readonly metric: string;
  readonly labels: readonly string[];
}

/** The series of ours that a query names, each with the labels it selects or groups by. */
export const referencesIn = (query: string): readonly Reference[] => {
  const grouped = [...query.matchAll(/\b(?:by|on)\s*\(([^)]*)\)/g)].flatMap(([, list = ""]) => names(list));
  return [...query.matchAll(/\bsell_sink_\w+(\{[^}]*\})?/g)].map(([text]) => {
    const [metric = "", selector = ""] = text.split("{");
    const selected = [...selector.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g)].map(([, label = ""]) => label);
    // Where several series meet, what is grouped by belongs to one of them; alone, it belongs to this one.
    const isAlone = query.match(/\bsell_sink_\w+/g)?.length === 1;
    const labels = [...selected, ...(isAlone ? grouped : [])].filter((label) => !ADDED.has(label));
    return { metric, labels: [...new Set(labels)] };
  });
};

const names = (list: string): readonly string[] =>
  list
    .split(",")
    .map((name) => name.trim())
    .filter(Boolean);
