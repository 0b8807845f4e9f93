/**
 * What Sell, or somebody on the way to it, may do to a call, and where each is proved. Faults of Kafka, of processes and of
 * Redis are proved by files of their own names (crash, freeze, stop, rolling-restart, redis-outage, redis-topologies, ...).
 */

export interface Proof {
  /** Below `test`. */
  readonly file: string;
  /** Stands in the file: a test's title, or the start of one. */
  readonly says: string;
}

export interface Fault {
  readonly id: string;
  readonly fault: string;
  readonly proofs: readonly Proof[];
  /** What nothing proves on a running replica. */
  readonly gap?: string;
}

const ANSWERS = "faults/sell-answers.int.test.ts";
const UNKNOWN = "integration/unknown-outcomes.int.test.ts";
const WIRE = "unit/deliver/wire.test.ts";

export const CATALOGUE: readonly Fault[] = [
  {
    id: "F25",
    fault:
      "429 with a hint as seconds, date, none, below nothing, no number, half a second, twice; a 404 that means 429; HTML",
    proofs: [
      { file: ANSWERS, says: 'id: "F25"' },
      { file: "integration/throttle.int.test.ts", says: "a 429 with a hint of 8 s stops all replicas" },
      { file: "unit/lib/retry-hint.test.ts", says: "a usable hint" },
    ],
    gap: "an hour's hint is waited out in virtual time only",
  },
  {
    id: "F26",
    fault: "the limit halved; a storm of 429 on three replicas; a foreign client",
    proofs: [
      { file: "integration/throttle.int.test.ts", says: "a 429 with a hint of 8 s stops all replicas" },
      { file: "integration/gate-walk.int.test.ts", says: "another limit in mid-run" },
    ],
    gap: "a halved limit meets the real scripts in virtual time, no running replica",
  },
  {
    id: "F27",
    fault: "5xx, not, half and fully applied",
    proofs: [
      { file: ANSWERS, says: 'id: "F27"' },
      { file: UNKNOWN, says: "half applied, and a 502" },
      { file: "faults/isolated-record.int.test.ts", says: "a record at which Sell fails each time" },
    ],
  },
  {
    id: "F28",
    fault: "a reset before, after and in the middle of a reply; a connection refused",
    proofs: [
      { file: ANSWERS, says: 'id: "F28"' },
      { file: UNKNOWN, says: "applied, and the connection reset" },
      { file: WIRE, says: "met a closed port" },
    ],
    gap: "a refused connection is tried without a replica",
  },
  { id: "F29", fault: "409 after a create of unknown outcome", proofs: [{ file: ANSWERS, says: 'id: "F29"' }] },
  {
    id: "F30",
    fault: "an idle connection that the server closes as a call leaves",
    proofs: [{ file: ANSWERS, says: "a reset before it was applied" }],
    gap: "the race itself; what the client sees of it is a reset",
  },
  {
    id: "F31",
    fault: "applied after the client gave up, while a newer version waits",
    proofs: [
      { file: "faults/late-apply.int.test.ts", says: "a newer version waits until" },
      { file: "faults/planted.int.test.ts", says: "tried again with the newest change: regressions" },
    ],
  },
  {
    id: "F32",
    fault: "a batch refused in part; verdicts shuffled, missing, extra, doubled; a kill behind it",
    proofs: [
      { file: ANSWERS, says: "F32 three of ten refused" },
      { file: ANSWERS, says: "F32 a kill between a batch" },
      { file: UNKNOWN, says: "a verdict missing" },
    ],
  },
  {
    id: "F33",
    fault: "200 as HTML, empty, broken, truncated; 204 on a write; a 202 that never ends",
    proofs: [
      { file: ANSWERS, says: 'id: "F33"' },
      { file: UNKNOWN, says: "only half a reply" },
      { file: "unit/deliver/jobs.test.ts", says: "a job that takes longer than a request may" },
    ],
  },
  {
    id: "F34",
    fault: "301, 302, 303, 307, 308, to the same and to another host",
    proofs: [
      { file: ANSWERS, says: 'id: "F34"' },
      { file: WIRE, says: "%i is not followed" },
    ],
  },
  {
    id: "F35",
    fault: "401 and 403: a token that expires, is changed, may not touch one resource; a firewall's page",
    proofs: [
      { file: "integration/halt.int.test.ts", says: "a 401 pauses all replicas" },
      { file: "integration/resources-refused.int.test.ts", says: "a resource that Sell forbids waits" },
      { file: "integration/firewall.int.test.ts", says: "a page on every request stops the entity" },
    ],
  },
  {
    id: "F36",
    fault: "a reply in drops, none at all, 200 MiB of it",
    proofs: [
      { file: ANSWERS, says: 'id: "F36"' },
      { file: UNKNOWN, says: "applied, and no reply in time" },
      { file: WIRE, says: "that unpacks to more than the cap" },
    ],
  },
  {
    id: "F37",
    fault: "a name that does not resolve; a certificate nobody vouches for; TLS that is too old",
    proofs: [
      { file: WIRE, says: "has no address" },
      { file: WIRE, says: "met a certificate nobody vouches for" },
      { file: WIRE, says: "a server that speaks nothing newer than TLS 1.1" },
    ],
    gap: "no running replica speaks TLS in the tests; an address that changes",
  },
  {
    id: "F38",
    fault: "a batch refused as a whole for one record: 422, 413",
    proofs: [
      { file: ANSWERS, says: "F38 a 413 for one record" },
      { file: UNKNOWN, says: "halved until that one is alone" },
    ],
  },
];
