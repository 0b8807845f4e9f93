/**
 * Bugs that a connector of this kind easily has, planted one at a time: a proof that cannot find them proves nothing. Each is
 * a few lines of the source put differently, and names the violation that must give it away.
 */

export interface Patch {
  /** Below the root of the repository. */
  readonly file: string;
  /** Must stand in the file exactly once. */
  readonly find: string;
  readonly put: string;
}

export interface Bug {
  readonly id: string;
  readonly title: string;
  readonly patches: readonly Patch[];
  /** What the simulation says of it; a bug that fails otherwise was not found but stumbled over. */
  readonly shows: RegExp;
  /** `a-b-a`: only there a lost change in between is seen; `people`: only there somebody pauses, skips and accepts. */
  readonly story?: "a-b-a" | "people";
  /** A life that showed it once and is tried first. */
  readonly seed?: number;
}

const COMMITTED_TOO_FAR = /was committed at \d+, past the unsettled record \d+/;

const [WATERMARK, OWNERSHIP] = ["src/commit/watermark.ts", "src/commit/ownership.ts"];
const [INTAKE, PIPELINE, DELIVERY] = ["src/pipeline/intake.ts", "src/pipeline/pipeline.ts", "src/pipeline/delivery.ts"];
const VERDICTS = "src/pipeline/verdicts.ts";
const [WINDOW, ENTRIES, OUTCOMES] = ["src/window/window.ts", "src/window/entries.ts", "src/window/outcomes.ts"];

/** Bugs where Sell's answers are read, below all that the simulation has: replicas on a real broker show them. */
export const BUGS_OF_THE_WIRE = {
  "a batch that was answered with 2xx counts as accepted as a whole": [
    {
      file: "src/deliver/bulk.ts",
      find: 'outcomes: outcomes.map((outcome) => outcome ?? unknown("verdict-missing"))',
      put: 'outcomes: outcomes.map(() => ({ status: "accepted", result: "updated", id: 1 }) as const)',
    },
  ],
  "a page with status 200 counts as accepted": [
    {
      file: "src/deliver/bulk.ts",
      find: 'return allUnknown(writes.length, "reply-unreadable");',
      put: 'return { ...allUnknown(0, ""), outcomes: forAll(writes.length, { status: "accepted", result: "updated", id: 1 }) };',
    },
  ],
  "a redirect counts as accepted": [
    { file: "src/deliver/reading.ts", find: "status >= 200 && status <= 299;", put: "status >= 200 && status <= 399;" },
    {
      file: "src/deliver/bulk.ts",
      find: 'return allUnknown(writes.length, "reply-unreadable");',
      put: 'return { ...allUnknown(0, ""), outcomes: forAll(writes.length, { status: "accepted", result: "updated", id: 1 }) };',
    },
  ],
  "a call of unknown outcome is tried again with the newest change": [
    { file: VERDICTS, find: "unknown.push(entry);", put: "again.push(entry);" },
  ],
} satisfies Readonly<Record<string, readonly Patch[]>>;

export const BUGS: readonly Bug[] = [
  {
    id: "B1",
    title: "a record is settled before Sell has answered",
    patches: [
      {
        file: INTAKE,
        find: "this.#deps.add(replayOf === undefined ? mutation : { ...mutation, record, lane, replayOf });",
        put: "(this.#deps.add(mutation), this.#deps.settle(record));",
      },
    ],
    shows: COMMITTED_TOO_FAR,
  },
  {
    id: "B2",
    title: "the newest settled offset is committed, whatever is open below it",
    patches: [
      {
        file: WATERMARK,
        find: "    this.#byOffset.delete(offset);\n    this.#advance();",
        put: "    this.#byOffset.delete(offset);\n    if (offset >= this.#committable) this.#committable = offset + 1n;",
      },
    ],
    shows: COMMITTED_TOO_FAR,
  },
  {
    id: "B3 decode",
    title: "the dead letter of an unreadable record is not awaited",
    patches: [{ file: INTAKE, find: "    await this.#deps.deadLetters\n", put: "    void this.#deps.deadLetters\n" }],
    shows: COMMITTED_TOO_FAR,
  },
  {
    id: "B3 deliver",
    title: "the dead letter of a refused record is not awaited",
    patches: [{ file: "src/pipeline/burial.ts", find: "    await report;\n", put: "" }],
    shows: COMMITTED_TOO_FAR,
  },
  {
    id: "B4",
    title: "a batch that was answered counts as accepted as a whole",
    patches: [
      {
        file: VERDICTS,
        find: 'const outcome: Outcome = receipt.outcomes[i] ?? { status: "unknown", reason: "no-verdict" };',
        put: 'const told: Outcome = receipt.outcomes[i] ?? { status: "unknown", reason: "no-verdict" };\n    const outcome: Outcome = receipt.httpStatus === 200 && told.status !== "accepted" ? { status: "accepted", result: "updated", id: null } : told;',
      },
    ],
    shows: COMMITTED_TOO_FAR,
  },
  {
    id: "B5",
    title: "the offset of the last settled record is committed instead of the one behind it",
    patches: [
      { file: WATERMARK, find: "this.#committable = slot.offset + 1n;", put: "this.#committable = slot.offset;" },
      {
        file: WATERMARK,
        find: "this.#committable = this.#next;\n    }",
        put: "this.#committable = this.#next - 1n;\n    }",
      },
    ],
    shows: /no rest: |duplicates/,
  },
  {
    id: "B7",
    title: "it sends without knowing whether it is still a member",
    patches: [{ file: PIPELINE, find: " && source.leaseLeftMs() > options.timeoutMs", put: "" }],
    story: "a-b-a",
    shows: /ended as .* instead of/,
  },
  {
    id: "B9 merge",
    title: "a try again carries the newest change though the one before may have been applied",
    patches: [{ file: VERDICTS, find: "unknown.push(entry);", put: "again.push(entry);" }],
    shows: /is sent as .* while .* may still be applied/s,
  },
  {
    id: "B9 lock",
    title: "a key leaves again while it is on the wire",
    patches: [
      { file: "src/window/cut.ts", find: 'entry.state = "in-flight";', put: "" },
      {
        file: WINDOW,
        find: 'if (state === "ready" || state === "parked") this.#entries.resume(entry);',
        put: "this.#entries.evaluate(entry);",
      },
    ],
    shows: /twice on the wire|may still be applied/,
  },
  {
    id: "B13 delete",
    title: "a deletion that waits with older changes is dropped for them",
    patches: [
      {
        file: "src/window/entry.ts",
        find: 'while (at > 0 && this.queue[at]?.tombstone === true && this.queue[at - 1]?.action === "delete") at -= 1;',
        put: 'while (at > 0 && this.queue[at]?.action === "delete") at -= 1;',
      },
    ],
    shows: new RegExp(`ended as .* instead of null|${COMMITTED_TOO_FAR.source}`),
  },
  {
    id: "B13 commit",
    title: "a change that a newer one stands for settles before the newer one is accepted",
    patches: [
      {
        file: WINDOW,
        find: "    if (entry.queue.length === 0) entry.arrivedMs = this.#now();\n    entry.append(mutation);\n",
        put: "    if (entry.queue.length === 0) entry.arrivedMs = this.#now();\n    entry.append(mutation);\n    if (entry.pinned === 0 && entry.standsFor > 1) this.#deps.settle(entry.shift(entry.standsFor - 1));\n",
      },
    ],
    shows: COMMITTED_TOO_FAR,
  },
  {
    id: "open partition",
    title: "the next owner does not wait for what the one before may have left on the wire",
    patches: [
      {
        file: OWNERSHIP,
        find: 'return state === "opening" && lateUntilMs > this.#deps.clock.monotonicMs();',
        put: "return false;",
      },
    ],
    shows: /may still be applied|of two processes|twin/,
  },
  {
    id: "open mark",
    title: "it sends before it has marked its partitions open",
    patches: [{ file: OWNERSHIP, find: "    await this.#insist(() => this.#markOpen(), signal);\n", put: "" }],
    shows: /of two processes|may still be applied/,
  },
  {
    id: "clean mark",
    title: "a partition with an unknown outcome is handed over as clean",
    patches: [
      { file: WINDOW, find: "|| entry.unknowns > 0;", put: ";" },
      {
        file: WINDOW,
        find: "if (entry.lockedUntilMs > now && entry.from !== null) partitions.push(entry.from);",
        put: "",
      },
    ],
    shows: /may still be applied/,
  },
  {
    id: "bitmap",
    title: "what is settled above the commit is forgotten at a hand-over",
    patches: [
      {
        file: "src/commit/committer.ts",
        find: "writeMark(mark, offset, partition.watermark.settledOffsets())",
        put: "writeMark(mark, offset, [])",
      },
    ],
    shows: /duplicates|steps back|became two dead letters/,
  },
  {
    id: "barrier",
    title: "a hand-over does not await what is on the wire",
    patches: [
      {
        file: PIPELINE,
        find: "while (isBusy() && clock.monotonicMs() < deadline) await clock.sleep(20);",
        put: "void isBusy;",
      },
    ],
    shows: /duplicates|steps back|of two processes/,
  },
  {
    id: "memory",
    title: "what is remembered is believed after a crash",
    patches: [{ file: WINDOW, find: "|| !this.#deps.trusts(mutation)", put: "" }],
    seed: 803,
    shows: COMMITTED_TOO_FAR,
  },
  {
    id: "store",
    title: "positions settle before the store remembers what was accepted",
    patches: [
      {
        file: DELIVERY,
        find: "await store.remember(newsOf(verdicts.accepted, memories), signal);",
        put: "void store.remember(newsOf(verdicts.accepted, memories), signal).catch(() => {});",
      },
    ],
    story: "a-b-a",
    shows: /ended as .* instead of/,
  },
  {
    id: "index lag",
    title: "a created record is not locked while Sell's index does not find it",
    patches: [
      {
        file: OUTCOMES,
        find: "if (created) entry.lockedUntilMs =",
        put: "if (created && indexLagMs < 0) entry.lockedUntilMs =",
      },
    ],
    shows: /twin/,
  },
  {
    id: "foreign mark",
    title: "a partition that another member had in between goes on from memory",
    patches: [{ file: OWNERSHIP, find: "return mark.nonce !== this.#deps.nonce;", put: "return false;" }],
    seed: 3408,
    shows: /went back from/,
  },
  {
    id: "twin",
    title: "a body that may create is repeated before the one before would be found",
    patches: [
      {
        file: OUTCOMES,
        find: "? Math.max(waitMs, lateApplyMaxMs + indexLagMs) : waitMs;",
        put: "? Math.max(waitMs, indexLagMs) : waitMs;",
      },
    ],
    seed: 85,
    shows: /twin/,
  },
  {
    id: "forget",
    title: "a forgotten entry takes its successor along",
    patches: [
      {
        file: ENTRIES,
        find: "if (this.#byId.get(entry.id) === entry) this.#byId.delete(entry.id);",
        put: "this.#byId.delete(entry.id);",
      },
    ],
    seed: 428,
    shows: /twice on the wire/,
  },
  {
    id: "frozen",
    title: "a join that begins while a mark is stored lets sends go on",
    patches: [
      {
        file: OWNERSHIP,
        find: "        signal.throwIfAborted(); // the next join began meanwhile: what comes after `act` is its business\n",
        put: "",
      },
    ],
    seed: 451,
    shows: /has a twin/,
  },
  {
    id: "partly settled",
    title: "behind a partly settled record not everything comes again",
    patches: [{ file: WATERMARK, find: "      if (slot?.isPartly === true) return;\n", put: "" }],
    seed: 563,
    shows: /ended as .* instead of/,
  },
  {
    id: "settled before",
    title: "the watermark stops below what an earlier owner settled",
    patches: [
      { file: WATERMARK, find: "while (this.#settledBefore.delete(this.#next)) this.#next += 1n;", put: "" },
      { file: WATERMARK, find: "if (settled) this.#advance();\n    else ", put: "if (!settled) " },
    ],
    story: "a-b-a",
    seed: 350,
    shows: /no rest: /,
  },
  {
    id: "buried",
    title: "a hand-over does not await dead letters",
    patches: [
      {
        file: PIPELINE,
        find: "this.#delivery.onTheWire + this.#failures.underWay > 0",
        put: "this.#delivery.onTheWire > 0",
      },
    ],
    seed: 637,
    shows: /became two dead letters/,
  },
  {
    id: "deleted",
    title: "a doubtful record that is remembered as deleted is taken for deleted",
    patches: [
      {
        file: ENTRIES,
        find: "const known = entry.isDoubtful && entry.known?.deleted === true ? null : entry.known;",
        put: "const { known } = entry;",
      },
    ],
    seed: 1441,
    shows: COMMITTED_TOO_FAR,
  },
  {
    id: "asleep",
    title: "a process whose partitions change hands goes on preparing records",
    patches: [
      {
        file: INTAKE,
        find: "!partition.signal.aborted && !this.#deps.isHeld(partition.topic)) {",
        put: "!partition.signal.aborted) {",
      },
      {
        file: INTAKE,
        find: 'partition.state !== "open" || this.#deps.isHeld(partition.topic)) return;',
        put: 'partition.state !== "open") return;',
      },
    ],
    seed: 1659,
    shows: /became two dead letters/,
  },
  {
    id: "nothing to delete",
    title: "a deletion that finds nothing settles itself alone",
    patches: [
      {
        file: OUTCOMES,
        find: "    entry.reset();\n    this.#deps.settle(entry.shift(entry.standsFor));\n    this.#entries.evaluate(entry);",
        put: "    entry.reset();\n    this.#deps.settle(entry.dropCandidate());\n    this.#entries.evaluate(entry);",
      },
    ],
    seed: 4343,
    shows: /ended as .* instead of null/,
  },
  {
    id: "unread mark",
    title: "a member that joins again at once commits what it held before, whoever had it in between",
    patches: [{ file: PIPELINE, find: "      this.#ownership.confirmed,\n", put: "      this.partitions,\n" }],
    seed: 776_149_577,
    shows: /went back from \d+ to \d+/,
  },
  {
    id: "id of yesterday",
    title: "a deletion that finds nothing by a remembered id counts as done, whatever Redis has forgotten since",
    patches: [{ file: "src/window/memory.ts", find: " && isOfYesterday(entry))", put: " && false)" }],
    story: "a-b-a",
    seed: 900_014_517,
    shows: /past the unsettled record \d+|ended as .* instead of/,
  },
  {
    id: "taken too soon",
    title: "a key goes on at once when its record is taken away, whatever of it may still be applied",
    patches: [
      {
        file: "src/window/withholding.ts",
        find: "if (entry.unknowns > 0) entry.lockedUntilMs = foundMs;",
        put: "entry.lockedUntilMs = 0;",
      },
    ],
    story: "people",
    shows: /may still be applied|has a twin|ended as/,
  },
  {
    id: "resumed in vain",
    title: "records that were read while their topic was paused are not prepared when it goes on",
    patches: [
      {
        file: PIPELINE,
        find: "    for (const partition of this.partitions) this.#intake.prepareSoon(partition);\n",
        put: "",
      },
    ],
    story: "people",
    shows: /no rest: /,
  },
];
