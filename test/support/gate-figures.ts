/** What a gate tells with every question, for the metrics alone: no news, whatever happens. */
export const FIGURES: ReadonlySet<string> = new Set(["permit-held", "limiter-answered"]);
