/** The status page: asks /status every ten seconds and shows what it says. It only reads. */
import { addPlot, PLOTS } from "./plots.mjs";
import { showLetters, showPartitions, showPauses, showSizes, showWindows } from "./tables.mjs";
import { clockText, countText, durationText, percentText, rateText, zoneText } from "./text.mjs";

/**
 * @typedef {import("../status.ts").StatusPage} StatusPage
 */

const EVERY_MS = 10_000;

/** @param {string} id @returns {HTMLElement} */
const element = (id) => {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the page has no element ${id}`);
  return found;
};

/** @param {string} id @param {string} text */
const say = (id, text) => {
  element(id).textContent = text;
};

const plots = PLOTS.map((plot) => addPlot(plot, element("plots")));

/** @param {StatusPage} page */
const show = (page) => {
  showHead(page);
  showFacts(page);
  for (const draw of plots) draw(page.history);
  const pauses = page.now?.pauses ?? [];
  element("pauses").hidden = pauses.length === 0;
  showPauses(element("paused"), pauses, page.atMs);
  showQuota(page);
  showSizes(element("sizes"), page.history);
  showLetters(element("letters"), page);
  showPartitions(element("partitions"), page.now?.partitions.rows ?? []);
  say("partitions-text", partitionsText(page.now));
};

/** What a person may do first, by what is in the way. @type {Record<NonNullable<StatusPage["verdict"]["cause"]>, string>} */
const NEXT = {
  credential: "the log line `halted` says what Sell refuses; it goes on by itself once that is put right.",
  topic: "the last errors in the log say which records; put it right and restart, or after a brake `sell-sink resume`.",
  pause: "if the reason is gone, `sell-sink resume`.",
  kafka: "it goes on by itself; if it lasts, `sell-sink doctor`.",
  redis: "bring Redis back, it goes on by itself; `sell-sink doctor` says what is wrong with it.",
  quota: "`sell-sink quota` says who spends it and what to change; more replicas do not help.",
  sell: "Zendesk's status page; everything is sent again by itself.",
  unreadable: "the log line `record-stalled` names the schema; `sell-sink doctor` asks the registry.",
  load: "nothing, if it catches up; `sell-sink plan` says until when.",
  letters: "`sell-sink dlq list` says which and why.",
  unburied: "`sell-sink doctor` checks the dead-letter topic; it goes on by itself.",
  record: "look at that record; `sell-sink skip` takes it away, to the dead letters.",
  parent: "why is the other one missing? `sell-sink dlq list` may have it.",
};

/** @param {StatusPage["verdict"]["cause"]} cause */
const showNext = (cause) => {
  const line = element("next");
  line.hidden = cause === null;
  const parts = cause === null ? [] : `What to do: ${NEXT[cause]}`.split("`");
  line.replaceChildren(
    ...parts.map((part, i) => {
      if (i % 2 === 0) return part;
      const code = document.createElement("code");
      code.textContent = part;
      return code;
    }),
  );
};

/** @param {StatusPage} page */
const showHead = ({ verdict, version, groupId, replica, startedAtMs, atMs }) => {
  say("zone", zoneText(Date.now(), atMs));
  say("version", version);
  say("group", groupId);
  say("replica", replica);
  say("replica-again", replica);
  say("uptime", durationText((atMs - startedAtMs) / 1_000));
  say("sentence", verdict.sentence);
  element("verdict").dataset["state"] = verdict.state;
  const { untilS } = verdict;
  say("until", untilS === null ? "" : `Until about ${clockText(atMs + 1_000 * untilS, atMs)}.`);
  showNext(verdict.cause);
  document.title = `${verdict.state} · ${groupId} · sell-sink`;
  const news = `${verdict.state} ${verdict.cause ?? ""}`;
  // Read out when it changes, not at every second of a wait.
  if (element("announced").dataset["news"] === news) return;
  element("announced").dataset["news"] = news;
  say("announced", verdict.sentence);
};

/** @param {StatusPage} page */
const showFacts = ({ now }) => {
  const parked = Object.values(now?.parked ?? {}).reduce((sum, count) => sum + count, 0);
  const facts = [
    ["Oldest live change", durationText(now?.ageS.live)],
    ["Oldest backfill record", durationText(now?.ageS.backfill)],
    ["Records that wait", countText(now?.backlog)],
    ["All worked off in", now?.backlog ? durationText(now.drainS) : "–"],
    ["Arrive", rateText(now?.pace.arrivedPerS)],
    ["Can be worked off", rateText(now?.pace.workedOffPerS)],
    ["In memory", countText(now?.windowRecords)],
    ["Wait for a parent", now === null ? "–" : countText(parked)],
    ["Replicas", countText(now?.gate.replicas)],
  ];
  element("facts").replaceChildren(
    ...facts.map(([name = "", value = ""]) => {
      const [pair, term, text] = [
        document.createElement("div"),
        document.createElement("dt"),
        document.createElement("dd"),
      ];
      term.textContent = name;
      text.textContent = value;
      pair.append(term, text);
      return pair;
    }),
  );
};

const MODES = {
  redis: "Shared by all replicas through Redis",
  local: "Kept by this replica alone",
  closed: "Redis is away, nothing is sent",
};

/** @param {StatusPage} page */
const showQuota = ({ now, atMs }) => {
  showWindows(element("windows"), now?.gate.windows ?? []);
  if (now === null) return say("quota-text", "Not known yet.");
  const { mode, permitsPerSecond, share, cooldownLeftMs } = now.gate;
  const parts = [
    MODES[mode],
    permitsPerSecond === 0
      ? "no limit"
      : `${countText(60 * permitsPerSecond)} calls a minute of up to ${now.maxItems} records`,
    ...(share < 1 ? [`${percentText(share)} of the limits after a refusal`] : []),
    cooldownLeftMs > 0
      ? `cool-down for another ${durationText(cooldownLeftMs / 1_000)}, until ${clockText(atMs + cooldownLeftMs, atMs)}`
      : "no cool-down",
  ];
  say("quota-text", `${parts.join("; ")}.`);
};

/** @param {StatusPage["now"]} now */
const partitionsText = (now) => {
  if (now === null) return "Not known yet.";
  const { all, behind, rows } = now.partitions;
  const shown = all > rows.length ? ` The worst ${rows.length} are shown; sell-sink lag --json has them all.` : "";
  return `${countText(behind)} of ${countText(all)} partitions of this replica have records that wait.${shown}`;
};

/** When something was last heard; null: never. @type {number | null} */
let heardMs = null;

const refresh = async () => {
  const span = document.querySelector("input[name=span]:checked");
  const query = span instanceof HTMLInputElement ? span.value : "1h";
  try {
    const reply = await fetch(`/status?span=${query}`, { signal: AbortSignal.timeout(EVERY_MS) });
    if (!reply.ok) throw new Error(`HTTP ${reply.status}`);
    show(await reply.json());
    heardMs = Date.now();
    element("stale").hidden = true;
  } catch {
    element("verdict").dataset["state"] = "unknown";
    document.title = document.title.replace(/^[^·]+/, "no answer ");
    const since = heardMs === null ? "" : ` since ${clockText(heardMs, Date.now())}: what you see is as old as that`;
    say("stale", `This replica has not answered${since}. Asking again.`);
    element("stale").hidden = false;
  }
};

/** One question at a time; a page that nobody sees asks nothing. */
const keepAsking = async () => {
  for (;;) {
    if (!document.hidden) await refresh();
    await new Promise((resolve) => {
      const timer = setTimeout(resolve, EVERY_MS);
      const atOnce = () => {
        clearTimeout(timer);
        resolve(null);
      };
      document.addEventListener("visibilitychange", atOnce, { once: true });
      element("spans").addEventListener("change", atOnce, { once: true });
    });
  }
};

void keepAsking();
