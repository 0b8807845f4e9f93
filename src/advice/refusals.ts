/**
 * What the 429s of the last day say about the limit, the reserve and the guard. Each tells how many calls all replicas had
 * started in the window then: far fewer than allowed, and others spent the rest, or the limit is not what is configured.
 */
import type { Incident } from "../domain/stages.ts";
import { causeOf, fullest } from "../telemetry/incident-cause.ts";
import { type Advice, counted, numberText, percentText, spanText } from "./advice.ts";
import type { QuotaFigures } from "./figures.ts";

const DAY_MS = 86_400_000;
/** Refusals that come at so nearly the same number of calls speak of a limit, not of others' habits. */
const SAME = 0.05;
/** A refusal so soon after an announced wait, of a replica that had hardly called, is about the wait. */
const RIGHT_AFTER_MS = 30_000;
const HARDLY = 0.1;
/** Others that take more than this are not provided for by a reserve, which is kept free in each window. */
const RESERVE_MOST = 0.5;
/** A guard of more than this part of the window costs more than a lower limit. */
const GUARD_MOST = 0.1;

/** Every piece of advice that the refusals of the last day give; none without refusals. */
export const onRefusals = (figures: QuotaFigures): readonly Advice[] => {
  const recent = recentRefusals(figures);
  const [late, rest] = partition(recent, (incident) => cameRightAfterAWait(incident, recent));
  const of = (cause: string): readonly Incident[] => rest.filter((incident) => causeOf(incident) === cause);
  return [
    ...onLateEnds(late, figures),
    ...onUnlimited(of("unlimited")),
    ...onOthers(of("others"), figures),
    ...onOwn(of("own"), figures),
  ];
};

/** Those of the last day under the settings in force. */
export const recentRefusals = ({ gate, atMs, settings }: QuotaFigures): readonly Incident[] =>
  gate.incidents.filter((incident) => incident.atMs > Math.max(atMs - DAY_MS, settings.sinceMs));

const cameRightAfterAWait = (incident: Incident, all: readonly Incident[]): boolean => {
  const window = fullest(incident);
  if (window === null || window.used > HARDLY * window.limit) return false;
  return all.some(({ atMs, hintMs }) => {
    const sinceMs = incident.atMs - (atMs + (hintMs ?? Number.NaN));
    return atMs < incident.atMs && sinceMs >= 0 && sinceMs < RIGHT_AFTER_MS;
  });
};

const onLateEnds = (late: readonly Incident[], { settings }: QuotaFigures): readonly Advice[] => {
  if (late.length === 0) return [];
  const to = Math.min(60_000, Math.max(5_000, 2 * settings.afterMs));
  return [
    {
      about: "cool-down",
      sentence: `${counted(late.length, "refusal")} came within ${spanText(RIGHT_AFTER_MS)} after an announced wait was over, when hardly anything had been sent: Sell ends its waits later than it says. Wait longer after each.`,
      setting: to > settings.afterMs ? { path: "quota.cooldown.afterMs", now: settings.afterMs, to } : null,
    },
  ];
};

const onUnlimited = (refused: readonly Incident[]): readonly Advice[] => {
  if (refused.length === 0) return [];
  const sentence = `Sell refused calls ${times(refused)} though no limit is configured: ask Zendesk for the limit of the account and set it in quota.windows.`;
  return [{ about: "limit", sentence, setting: null }];
};

const onOthers = (all: readonly Incident[], figures: QuotaFigures): readonly Advice[] => {
  const of = ofAWindow(all, figures);
  if (of === null) return [];
  const { window, refused, used } = of;
  const [least, most] = [Math.min(...used), Math.max(...used)];
  const { reserve } = figures.settings;
  const span = spanText(window.perMs);
  const own = least === most ? numberText(least) : `${numberText(least)} to ${numberText(most)}`;
  const told = `Sell refused calls ${times(refused)} after only ${own} of our own in ${span}, ${numberText(window.limit - reserve)} are allowed`;
  const foreign = Math.max(0, ...refused.map((incident) => incident.foreign ?? 0));
  const isSteady = refused.length > 1 && most - least <= SAME * most;

  if (isSteady && foreign === 0 && least > 0) {
    const to = Math.min(window.limit, Math.max(1, most) + reserve);
    const sentence = `${told}, always about as many: the limit of the account seems to be ${numberText(to)} and not ${numberText(window.limit)}. Set it, and ask Zendesk; if other integrations call too, raise quota.reserve instead.`;
    return [{ about: "limit", sentence, setting: limitSetting(figures, window, to) }];
  }
  const wanted = Math.ceil(Math.max(window.limit - least, foreign));
  const others = whoElse(refused, foreign);
  if (wanted > RESERVE_MOST * Math.min(...figures.settings.windows.map(({ limit }) => limit))) {
    const sentence = `${told}: ${others}. That is more than half of the quota, too much to set aside. Find out who else calls this account, and ask Zendesk for the limit in force or a higher one.`;
    return [{ about: "reserve", sentence, setting: null }];
  }
  const sentence = `${told}: ${others}. Leave them ${numberText(wanted)} calls; that uses ${percentText((window.limit - wanted) / window.limit)} of the quota here.`;
  return [{ about: "reserve", sentence, setting: { path: "quota.reserve", now: reserve, to: wanted } }];
};

const whoElse = (refused: readonly Incident[], foreign: number): string => {
  if (foreign > 0) return `the headers of Sell tell of about ${numberText(foreign)} by others`;
  return refused.some((incident) => incident.foreign === 0)
    ? "the headers of Sell tell of none by others, so the limit may be lower than configured"
    : "others must have made the rest, or the limit is lower than configured";
};

const onOwn = (all: readonly Incident[], figures: QuotaFigures): readonly Advice[] => {
  const of = ofAWindow(all, figures);
  if (of === null) return [];
  const { window, refused } = of;
  const { burst, catchUp } = figures.settings;
  const told = `Sell refused calls ${times(refused)} when our own had reached the limit in force of ${numberText(Math.max(...refused.map((incident) => fullest(incident)?.limit ?? 0)))} in ${spanText(window.perMs)}`;
  if (burst > 1 || catchUp > 1) {
    const [path, now] = burst > 1 ? (["quota.burst", burst] as const) : (["quota.catchUp", catchUp] as const);
    const sentence = `${told}. With ${path} ${now} calls leave together, which servers that count more closely than by the minute refuse.`;
    return [{ about: "burst", sentence, setting: { path, now, to: 1 } }];
  }
  const to = 2 * Math.max(window.guardMs, 10);
  if (to <= GUARD_MOST * Math.min(...figures.settings.windows.map(({ perMs }) => perMs))) {
    const { answered } = figures.calls;
    const measured =
      answered === null
        ? ""
        : `; half of the answers came within ${spanText(answered.halfMs)} of the permit, nearly all within ${spanText(answered.nearlyAllMs)}`;
    const sentence = `${told}: calls seem to arrive more unevenly than the guard of ${spanText(window.guardMs)} covers${measured}. A guard of ${spanText(to)} still uses ${percentText(window.perMs / (window.perMs + to))} of the quota.`;
    return [{ about: "guard", sentence, setting: { path: "quota.guardMs", now: window.guardMs, to } }];
  }
  const lower = Math.max(1 + figures.settings.reserve, Math.floor(0.95 * window.limit));
  const sentence = `${told}, with a guard of ${spanText(window.guardMs)} already: Sell counts more than we start. Lower the limit a little, and ask Zendesk how the account is counted.`;
  return [{ about: "limit", sentence, setting: limitSetting(figures, window, lower) }];
};

type Configured = QuotaFigures["settings"]["windows"][number];

/** Refusals of one window, the one that the newest of them was nearest to, under limits that are still in force. */
interface OfAWindow {
  readonly window: Configured;
  readonly refused: readonly Incident[];
  readonly used: readonly number[];
}

const ofAWindow = (all: readonly Incident[], { settings }: QuotaFigures): OfAWindow | null => {
  const told = all.flatMap((incident) => {
    const full = fullest(incident);
    const window = settings.windows.find(({ perMs }) => perMs === full?.perMs);
    const isInForce = full !== null && window !== undefined && full.limit <= window.limit - settings.reserve;
    return isInForce ? [{ incident, window, used: full.used }] : [];
  });
  const window = told[0]?.window;
  const same = told.filter((one) => one.window === window);
  return window === undefined
    ? null
    : { window, refused: same.map(({ incident }) => incident), used: same.map(({ used }) => used) };
};

/** Only ever downwards: a higher limit is Zendesk's to give. */
const limitSetting = ({ settings }: QuotaFigures, { limit, perMs }: Configured, to: number): Advice["setting"] => {
  const at = settings.windows.findIndex((window) => window.perMs === perMs);
  return to < limit ? { path: `quota.windows[${at}].limit`, now: limit, to } : null;
};

const times = (refused: readonly Incident[]): string => {
  const hintsMs = refused.flatMap(({ hintMs }) => (hintMs === null ? [] : [hintMs]));
  const waits = hintsMs.length === 0 ? "" : ` (waits of up to ${spanText(Math.max(...hintsMs))})`;
  return `${refused.length === 1 ? "once" : `${refused.length} times`} within a day${waits}`;
};

const partition = <T>(all: readonly T[], isFirst: (one: T) => boolean): readonly [readonly T[], readonly T[]] => [
  all.filter(isFirst),
  all.filter((one) => !isFirst(one)),
];
