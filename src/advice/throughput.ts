/** Whether the calls that the quota allows carry as much as they could. Where the quota is not the limit, nothing needs to. */
import { type Advice, counted, numberText, percentText, spanText } from "./advice.ts";
import type { QuotaFigures } from "./figures.ts";

/** A window used so far has no room worth speaking of. */
const USED_UP = 0.95;
/** Fewer batches prove nothing. */
const BATCHES_LEAST = 20;
const SMALL = 0.7;
const LINGER_MOST_MS = 10_000;
const HALVES_MANY = 0.2;
const UNUSED_MANY = 0.05;

/** Advice on batches, pace and replicas, most effective first. */
export const onThroughput = (figures: QuotaFigures): readonly Advice[] => [
  ...onHalves(figures),
  ...onUnusedPermits(figures),
  ...(isQuotaTheLimit(figures) ? onTheLimit(figures) : []),
];

/** The quota is spent, and more waits than one call could take. */
const isQuotaTheLimit = ({ gate, backlog, settings }: QuotaFigures): boolean => {
  const isSpent = gate.cooldownLeftMs > 0 || gate.windows.some(({ limit, used }) => used >= USED_UP * limit);
  const isSpaced = settings.spacingMs > gate.slotMs;
  return (isSpent || isSpaced) && (backlog ?? 0) > settings.maxItems;
};

const onTheLimit = (figures: QuotaFigures): readonly Advice[] => {
  const advice = [...onSpacing(figures), ...onBatches(figures)];
  return advice.length > 0 ? advice : onCapacity(figures);
};

/** The rule of thumb "a batch, then a pause" on top of a quota. */
const onSpacing = ({ settings, gate }: QuotaFigures): readonly Advice[] => {
  const { spacingMs } = settings;
  if (spacingMs <= gate.slotMs || gate.slotMs <= 0) return [];
  const sentence = `quota.spacingMs allows one call each ${spanText(spacingMs)}, the limits one each ${spanText(gate.slotMs)}: ${percentText(1 - gate.slotMs / spacingMs)} of the quota is left unused while records wait. The limits alone keep Sell content.`;
  return [{ about: "capacity", sentence, setting: { path: "quota.spacingMs", now: spacingMs, to: 0 } }];
};

const onBatches = ({ calls, settings }: QuotaFigures): readonly Advice[] => {
  const { count = 0, age = 0 } = calls.batches;
  const { maxItems, mostItems, lingerMs } = settings;
  const all = batchesOf(calls.batches);
  if (all < BATCHES_LEAST) return [];
  const average = calls.items / all;
  const told = `The quota is the limit, and a call carries ${numberText(average)} of at most ${mostItems} records`;
  if (maxItems < mostItems && count >= 0.5 * all) {
    const sentence = `${told}: ${percentText(count / all)} of the batches left because batch.maxItems is ${maxItems}.`;
    return [{ about: "batch", sentence, setting: { path: "batch.maxItems", now: maxItems, to: mostItems } }];
  }
  if (average < SMALL * maxItems && age >= 0.5 * all && lingerMs < LINGER_MOST_MS) {
    const to = Math.min(LINGER_MOST_MS, Math.max(1_000, 2 * lingerMs));
    const sentence = `${told}: ${percentText(age / all)} of the batches left because their oldest record had waited for ${spanText(lingerMs)}. Longer, and fuller, costs each record up to that time.`;
    return [{ about: "batch", sentence, setting: { path: "batch.lingerMs", now: lingerMs, to } }];
  }
  return [];
};

/** All is done here that can be done: what is left is Zendesk's to give. */
const onCapacity = ({ gate, calls, backlog, settings }: QuotaFigures): readonly Advice[] => {
  const all = batchesOf(calls.batches);
  const each = all === 0 ? settings.maxItems : calls.items / all;
  const perMinute = 60 * gate.permitsPerSecond * each;
  const drained =
    perMinute > 0 && backlog !== null
      ? `, and the ${counted(backlog, "record")} that wait here take ${numberText(backlog / perMinute)} min, longer if other replicas have a backlog too`
      : "";
  const bulk = settings.mostItems === 1 ? " In the bulk dialect a call would carry 50 records." : "";
  const sentence = `The quota is the limit: ${numberText(60 * gate.permitsPerSecond)} calls a minute with ${numberText(each)} records each are ${numberText(perMinute)} records a minute${drained}.${bulk} More needs a higher limit from Zendesk, and then quota.windows.`;
  return [{ about: "capacity", sentence, setting: null }];
};

const onHalves = ({ calls }: QuotaFigures): readonly Advice[] => {
  const { retry = 0 } = calls.batches;
  const all = batchesOf(calls.batches);
  if (all < BATCHES_LEAST || retry < HALVES_MANY * all) return [];
  const sentence = `${percentText(retry / all)} of the calls are parts of batches that Sell refused as a whole: a few bad records cost many calls. See the dead letters for their reason, and correct the route or the rows.`;
  return [{ about: "batch", sentence, setting: null }];
};

const onUnusedPermits = ({ calls }: QuotaFigures): readonly Advice[] => {
  const { permits, unusedPermits } = calls;
  if (permits < BATCHES_LEAST || unusedPermits < UNUSED_MANY * permits) return [];
  const sentence = `${counted(unusedPermits, "permit")} of ${numberText(permits)} ran out before this replica could use them: it stands still for a second or more at times. Give it more CPU or memory.`;
  return [{ about: "replica", sentence, setting: null }];
};

const batchesOf = (batches: QuotaFigures["calls"]["batches"]): number =>
  Object.values(batches).reduce((sum, count) => sum + count, 0);
