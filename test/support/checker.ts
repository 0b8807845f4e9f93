/**
 * Judges a run by its ledgers alone, none of which the connector wrote: what the ERP wrote (the source topics, read by a
 * stranger), what Sell was asked and holds (the simulator's log and state), what the group committed, and the dead-letter
 * topic. Pure, so that it can itself be tested on ledgers that are wrong on purpose.
 */
import { isDeepStrictEqual } from "node:util";
import { positionName, type TopicPartition } from "../../src/domain/record.ts";
import type { LoggedRequest, StateRecord } from "../../src/sandbox/index.ts";
import type { StoredRecord } from "./read-topics.ts";

/** One record of a source topic, and what should become of it. */
export interface Written extends TopicPartition {
  readonly offset: bigint;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  /** Null: nothing, as for a tombstone. */
  readonly change: Change | null;
  /** It can never be delivered: it belongs into the dead-letter topic, and only there. */
  readonly isPoison: boolean;
}

export interface Change {
  /** `accounts`, `deals`, ... */
  readonly resource: string;
  readonly key: string;
  /** Hash of the body that is to be sent; null: the record is deleted. */
  readonly hash: string | null;
  /** What Sell shall hold of it. */
  readonly data: object | null;
}

export interface Crash {
  readonly instance: string;
  /** Monotonic milliseconds. */
  readonly atMs: number;
}

export interface Ledgers {
  /** In offset order within a partition. */
  readonly written: readonly Written[];
  readonly requests: readonly LoggedRequest[];
  readonly state: readonly StateRecord[];
  readonly deadLetters: readonly StoredRecord[];
  /** Committed and end offset of each partition of the source topics. */
  readonly offsets: readonly (TopicPartition & { readonly committed: bigint | null; readonly end: bigint })[];
  readonly crashes: readonly Crash[];
  /** Most calls of one process on the wire at once: what a crash may repeat. */
  readonly maxInFlight: number;
}

/** Each list names its offenders and is empty after a good run. */
export interface Findings {
  /** Neither accepted, nor superseded by an accepted newer change, nor a dead letter. */
  readonly lost: readonly string[];
  /** Applied although the ERP never wrote it. */
  readonly invented: readonly string[];
  /** What Sell holds in the end differs from the ERP's newest good version, or there are twins. */
  readonly wrongAtTheEnd: readonly string[];
  /** Applied again although the outcome of the application before was known. */
  readonly duplicates: readonly string[];
  /** An older version applied after a newer one. */
  readonly regressions: readonly string[];
  /** Requests that started while an announced wait was running. */
  readonly insideCooldown: readonly string[];
  /** Missing (unless superseded), unexpected, doubled or altered dead letters. */
  readonly deadLetters: readonly string[];
  /** Partitions whose committed offset is not the end. */
  readonly uncommitted: readonly string[];
}

export const CLEAN: Findings = {
  lost: [],
  invented: [],
  wrongAtTheEnd: [],
  duplicates: [],
  regressions: [],
  insideCooldown: [],
  deadLetters: [],
  uncommitted: [],
};

export const check = (ledgers: Ledgers): Findings => {
  const applications = applicationsOf(ledgers);
  return {
    lost: lost(ledgers, applications),
    invented: applications.filter(({ version }) => version === null).map(({ name }) => name),
    wrongAtTheEnd: wrongAtTheEnd(ledgers),
    duplicates: repetitions(applications)
      .filter((again) => !isExcused(again, ledgers))
      .map(({ name, before }) => `${name}; before: ${before.name}`),
    regressions: regressions(applications),
    insideCooldown: insideCooldown(ledgers),
    deadLetters: wrongDeadLetters(ledgers, applications),
    uncommitted: ledgers.offsets
      .filter(({ committed, end }) => (committed ?? 0n) !== end)
      .map(({ topic, partition, committed, end }) => `${topic}[${partition}]: ${committed} of ${end}`),
  };
};

/** Versions that were applied more than once, the allowed ones included. */
export const repeated = (ledgers: Ledgers): number => repetitions(applicationsOf(ledgers)).length;

/** Most requests that arrived in any half-open window of `windowMs`, refused ones included. */
export const busiest = (requests: readonly LoggedRequest[], windowMs: number): number =>
  Math.max(
    0,
    ...requests.map((first, i) => requests.slice(i).findLastIndex(({ atMs }) => atMs - first.atMs < windowMs) + 1),
  );

/** Requests that write, oldest first. */
export const writesOf = (requests: readonly LoggedRequest[], instance: string): readonly LoggedRequest[] =>
  requests.filter((request) => request.instance === instance && request.items > 0);

interface Application {
  /** For a person: what was applied, when, by whom. */
  readonly name: string;
  readonly id: string;
  /** Index among the versions of its key; null: the ERP never wrote it. */
  readonly version: number | null;
  readonly request: LoggedRequest;
}

const idOf = ({ resource, key }: { readonly resource: string; readonly key: string | null }): string =>
  `${resource} ${key}`;

const versionsOf = (written: readonly Written[]): ReadonlyMap<string, readonly Written[]> =>
  Map.groupBy(
    written.filter(({ change }) => change !== null),
    ({ change }) => (change === null ? "" : idOf(change)),
  );

/** Every write that took effect or was found done already, in the order of taking effect. */
const applicationsOf = ({ written, requests }: Ledgers): readonly Application[] => {
  const versions = versionsOf(written);
  const newest = new Map<string, number>();
  return requests
    .flatMap((request) => request.applied.map((item) => ({ item, request })))
    .filter(({ item }) => item.result !== "failed")
    .sort((a, b) => a.item.atMs - b.item.atMs)
    .map(({ item, request }) => {
      const id = idOf(item);
      // All deletes of a key look alike: it is the next one, as long as there is one.
      const alike = [...(versions.get(id) ?? []).entries()].filter(([, { change }]) => change?.hash === item.hash);
      const [version = null] = alike.find(([at]) => at > (newest.get(id) ?? -1)) ?? alike.at(-1) ?? [];
      newest.set(id, Math.max(newest.get(id) ?? -1, version ?? -1));
      const name = `${id} v${version} (${item.result}) by ${request.instance} in request ${request.id}, ${request.reply}`;
      return { name, id, version, request };
    });
};

const lost = ({ written, state }: Ledgers, applications: readonly Application[]): readonly string[] => {
  const newest = newestApplied(applications);
  const held = new Set(state.map((record) => idOf({ resource: record.resource, key: keyIn(record) })));
  return [...versionsOf(written)].flatMap(([id, versions]) => {
    // A record that is not there needs no call to be deleted, and what was to come before neither.
    const gone = held.has(id) ? -1 : versions.findLastIndex(({ change }) => change?.hash === null);
    const settled = Math.max(newest.get(id) ?? -1, gone);
    const isHeldAlready = ({ change }: Written): boolean => change?.hash === versions[settled]?.change?.hash;
    return versions
      .slice(settled + 1)
      .filter((record, at, waiting) => !record.isPoison && !waiting.slice(0, at + 1).every(isHeldAlready))
      .map((record) => `${positionName(record)}: ${id}`);
  });
};

const newestApplied = (applications: readonly Application[]): ReadonlyMap<string, number> => {
  const newest = new Map<string, number>();
  for (const { id, version } of applications) newest.set(id, Math.max(newest.get(id) ?? -1, version ?? -1));
  return newest;
};

const wrongAtTheEnd = ({ written, state }: Ledgers): readonly string[] => {
  const held = Map.groupBy(state, (record) => idOf({ resource: record.resource, key: keyIn(record) }));
  return [...versionsOf(written)].flatMap(([id, versions]) => {
    const data = versions.findLast(({ isPoison }) => !isPoison)?.change?.data ?? null;
    const found = held.get(id) ?? [];
    if (found.length > 1) return [`${id}: ${found.length} records`];
    const [record] = found;
    if (data === null) return record === undefined ? [] : [`${id}: should be gone`];
    if (record !== undefined && contains(record.data, data)) return [];
    return [`${id}: ${JSON.stringify(record?.data ?? null)} instead of ${JSON.stringify(data)}`];
  });
};

const keyIn = ({ data }: StateRecord): string | null => {
  const custom = Object.entries(data["custom_fields"] ?? {});
  const key = custom.find(([name]) => name === "erp_id")?.[1];
  return key == null ? null : String(key);
};

const contains = (whole: unknown, part: unknown): boolean =>
  typeof part === "object" && part !== null && typeof whole === "object" && whole !== null
    ? Object.entries(part).every(([name, value]) => contains(new Map(Object.entries(whole)).get(name), value))
    : isDeepStrictEqual(whole, part);

type Repetition = Application & { readonly before: Application };

const repetitions = (applications: readonly Application[]): readonly Repetition[] => {
  const last = new Map<string, Application>();
  return applications.flatMap((application) => {
    if (application.version === null) return [];
    const name = `${application.id} v${application.version}`;
    const before = last.get(name);
    last.set(name, application);
    return before === undefined ? [] : [{ ...application, before }];
  });
};

/** The call before had no known outcome; or this one had none, left first and was applied late. */
const isExcused = ({ request, before }: Repetition, ledgers: Ledgers): boolean =>
  isUnknown(before.request, ledgers) || (request.id < before.request.id && isUnknown(request, ledgers));

/** Nobody knew the outcome of this request: no verdict came back, or its sender was killed while it worked on it. */
const isUnknown = (request: LoggedRequest, { requests, crashes, maxInFlight }: Ledgers): boolean => {
  if (request.reply !== "sent" || request.status === null || request.status >= 500) return true;
  return crashes.some(({ instance, atMs }) =>
    writesOf(requests, instance)
      .filter((other) => other.atMs <= atMs)
      .slice(-maxInFlight)
      .includes(request),
  );
};

const regressions = (applications: readonly Application[]): readonly string[] => {
  const newest = new Map<string, number>();
  return applications.flatMap(({ id, version, name }) => {
    if (version === null) return [];
    const before = newest.get(id) ?? -1;
    newest.set(id, Math.max(before, version));
    return version < before ? [`${name} after v${before}`] : [];
  });
};

/** A wait is known to all replicas so much later; calls on the wire arrive until then. */
const SPREAD_MS = 250;

const insideCooldown = ({ requests, crashes }: Ledgers): readonly string[] => {
  // An announcement that died with its reader was made to nobody.
  const isHeard = ({ instance, endMs }: LoggedRequest): boolean =>
    !crashes.some((crash) => crash.instance === instance && Math.abs(crash.atMs - (endMs ?? 0)) < SPREAD_MS);
  const waits = requests.filter(({ hintMs }) => hintMs !== null).filter(isHeard);
  return requests.flatMap(({ id, instance, path, atMs }) => {
    const wait = waits.find(
      ({ endMs, hintMs }) => endMs !== null && atMs > endMs + SPREAD_MS && atMs < endMs + (hintMs ?? 0),
    );
    if (wait === undefined) return [];
    const into = Math.round(atMs - (wait.endMs ?? 0));
    return [
      `request ${id} of ${instance} to ${path}, ${into} ms into the ${wait.hintMs} ms told to ${wait.instance} in request ${wait.id}`,
    ];
  });
};

const wrongDeadLetters = (
  { written, deadLetters, crashes }: Ledgers,
  applications: readonly Application[],
): readonly string[] => {
  const superseded = supersededPoison(written, applications);
  const found = Map.groupBy(deadLetters, (letter) => sourceOf(letter));
  const poison = new Map(written.filter(({ isPoison }) => isPoison).map((record) => [positionName(record), record]));
  return [
    ...[...poison].flatMap(([position, record]) => {
      const [letter, ...more] = found.get(position) ?? [];
      if (letter === undefined) return superseded.has(record) ? [] : [`${position}: missing`];
      // One that was stored just before its writer was killed comes again.
      if (more.length > crashes.length) return [`${position}: written ${more.length + 1} times`];
      return sameBytes(letter.key, record.key) && sameBytes(letter.value, record.value) ? [] : [`${position}: altered`];
    }),
    ...[...found.keys()].filter((position) => !poison.has(position)).map((position) => `${position}: unexpected`),
  ];
};

/** Bad versions with an accepted newer one of their key: when both waited together, the bad one was never tried. */
const supersededPoison = (written: readonly Written[], applications: readonly Application[]): ReadonlySet<Written> => {
  const newest = newestApplied(applications);
  const superseded = [...versionsOf(written)].flatMap(([id, versions]) =>
    versions.filter(({ isPoison }, version) => isPoison && version < (newest.get(id) ?? -1)),
  );
  return new Set(superseded);
};

const sourceOf = ({ headers }: StoredRecord): string => {
  const text = (name: string): string => String(headers.find(([header]) => header === `__connect.errors.${name}`)?.[1]);
  return `${text("topic")}[${text("partition")}]@${text("offset")}`;
};

const sameBytes = (a: Buffer | null, b: Buffer | null): boolean => (a === null || b === null ? a === b : a.equals(b));
