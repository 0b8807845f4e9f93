/** What to change, if anything, so that Sell refuses nothing and no call is wasted. Figures in, sentences out. */
import { type Advice, counted, numberText, spanText } from "./advice.ts";
import type { QuotaFigures } from "./figures.ts";
import { onRefusals, recentRefusals } from "./refusals.ts";
import { onThroughput } from "./throughput.ts";

/**
 * At least one piece of advice, the most urgent first; `about: "nothing"` stands alone. A limit is never raised beyond the
 * one that is configured: only Zendesk can.
 */
export const advise = (figures: QuotaFigures): readonly Advice[] => {
  const advice = [...onRedis(figures), ...onRefusals(figures), ...onThroughput(figures)];
  return advice.length > 0 ? advice : [allIsWell(figures)];
};

const onRedis = ({ gate, settings }: QuotaFigures): readonly Advice[] => {
  if (gate.mode === "closed") {
    const sentence =
      "Nothing is sent, because Redis does not answer and only it knows what the other replicas have spent: repair it; the log names the cause.";
    return [{ about: "redis", sentence, setting: null }];
  }
  if (gate.mode === "local" && settings.shared) {
    const sentence =
      "Redis does not answer, and this replica goes on with its own share: repair Redis soon, since a replica that alone is cut off exceeds the quota together with the others.";
    return [{ about: "redis", sentence, setting: null }];
  }
  return [];
};

const allIsWell = (figures: QuotaFigures): Advice => {
  const used = figures.gate.windows.map(
    ({ limit, perMs, used }) => `${numberText(used)} of ${counted(limit, "call")} in ${spanText(perMs)}`,
  );
  const refusals = recentRefusals(figures).length;
  const told =
    refusals === 0
      ? "no refusal in a day"
      : `the ${counted(refusals, "refusal")} of the last day came under other limits`;
  return { about: "nothing", sentence: `Nothing to change: ${[told, ...used].join(", ")}.`, setting: null };
};
