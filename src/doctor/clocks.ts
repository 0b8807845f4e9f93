/** Do the clocks agree? Ages, cool-downs with a date and retention are only as right as this machine's clock. */
import type { Clock } from "../lib/clock.ts";
import { type Check, type Finding, ok, warning } from "../online/check.ts";

/** A skew that no network delay explains. */
const SKEW_MS = 5_000;

/** `askMs` gives the other clock's time, milliseconds since 1970; null: it does not tell. */
export const clockCheck = (
  name: string,
  needs: readonly string[],
  askMs: (signal: AbortSignal) => Promise<number | null>,
  clock: Clock,
): Check => ({
  name: `clock of ${name}`,
  needs,
  waitsFor: `${name}'s answer`,
  async run(signal) {
    const before = clock.now();
    const theirs = await askMs(signal);
    if (theirs === null) return [ok(`${name} does not tell its time.`)];
    // Halfway between question and answer is when it was told, give or take.
    return [skewFinding(name, theirs - (before + clock.now()) / 2)];
  },
});

const skewFinding = (name: string, skewMs: number): Finding => {
  const seconds = Math.round(Math.abs(skewMs) / 1_000);
  if (Math.abs(skewMs) <= SKEW_MS)
    return ok(`The clocks of ${name} and this machine agree within ${Math.max(1, seconds)} s.`);
  const direction = skewMs > 0 ? "behind" : "ahead of";
  return warning(
    `This machine's clock is ${seconds} s ${direction} that of ${name}.`,
    "let both keep their time by NTP",
  );
};

/** Sell's Date header, from a request without token, which spends nothing of the account's quota. */
export const sellTimeMs = async (baseUrl: string, signal: AbortSignal): Promise<number | null> => {
  const { headers, body } = await fetch(baseUrl, { method: "HEAD", redirect: "manual", signal });
  await body?.cancel();
  const ms = Date.parse(headers.get("date") ?? "");
  return Number.isNaN(ms) ? null : ms;
};
