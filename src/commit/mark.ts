/**
 * The mark in a commit's metadata: how the partition was left, for whoever owns it next.
 *
 * `open`: its owner was sending, so a request of unknown outcome may still arrive at Sell. `clean`: nothing was on the wire.
 * The bitmap names settled offsets above the committed one, so that a hand-over repeats nothing although an older record
 * still waits. Text: `1;o|c;nonce;account;cool-down end (epoch ms, base 36);trusted from;bitmap (base64)`, at most 3,900 characters; a
 * broker stores 4,096 (`offset.metadata.max.bytes`) and refuses the commit beyond.
 */

export interface Mark {
  readonly state: "open" | "clean";
  /** Names the process that wrote it. */
  readonly nonce: string;
  /** Fingerprint of the Sell account that its records went to. */
  readonly account: string;
  /** Wall-clock end of the cool-down known then; 0: none. */
  readonly cooldownUntilMs: number;
  /** For records below this offset, what is remembered may be older than what Sell holds: an owner before had crashed. */
  readonly trustedFrom: bigint;
  /** Settled offsets above the committed one. */
  readonly settled: readonly bigint[];
}

const FORMAT = "1";
const LONGEST = 3_900;
/** Bits that fit beside the other fields. */
const MOST_BITS = Math.floor(((LONGEST - 100) * 6) / 8) * 8;

export const writeMark = (mark: Omit<Mark, "settled">, committed: bigint, settled: Iterable<bigint>): string => {
  const state = mark.state === "open" ? "o" : "c";
  return [
    FORMAT,
    state,
    mark.nonce,
    mark.account,
    Math.round(mark.cooldownUntilMs).toString(36),
    mark.trustedFrom > committed ? mark.trustedFrom : 0n,
    bitmap(committed, settled),
  ].join(";");
};

/** Null: there is no mark that this version can read, which counts as `open`. */
export const readMark = (metadata: string | null, committed: bigint): Mark | null => {
  const [format, state, nonce, account, cooldown, trusted, bits, ...rest] = (metadata ?? "").split(";");
  if (
    format !== FORMAT ||
    nonce === undefined ||
    account === undefined ||
    cooldown === undefined ||
    trusted === undefined ||
    bits === undefined ||
    rest.length > 0
  )
    return null;
  if (state !== "o" && state !== "c") return null;
  const cooldownUntilMs = Number.parseInt(cooldown, 36);
  if (!Number.isSafeInteger(cooldownUntilMs) || cooldownUntilMs < 0 || !/^\d+$/.test(trusted)) return null;
  return {
    state: state === "o" ? "open" : "clean",
    nonce,
    account,
    cooldownUntilMs,
    trustedFrom: BigInt(trusted),
    settled: offsets(committed, bits),
  };
};

/** What is left of the longest wait that any of these owners knew of; 0: none. `nowMs` is wall-clock. */
export const cooldownLeftMs = (marks: readonly (Mark | null)[], nowMs: number): number =>
  Math.max(0, ...marks.map((mark) => (mark?.cooldownUntilMs ?? 0) - nowMs));

/** Bit i stands for the offset `committed + 1 + i`; what lies beyond the last bit that fits is left out and comes again. */
const bitmap = (committed: bigint, settled: Iterable<bigint>): string => {
  const bytes = new Uint8Array(MOST_BITS / 8);
  let used = 0;
  for (const offset of settled) {
    const bit = Number(offset - committed) - 1;
    if (bit < 0 || bit >= MOST_BITS) continue;
    bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) | (1 << (bit & 7));
    used = Math.max(used, (bit >> 3) + 1);
  }
  return Buffer.from(bytes.subarray(0, used)).toString("base64");
};

const offsets = (committed: bigint, bits: string): readonly bigint[] => {
  const found: bigint[] = [];
  Buffer.from(bits, "base64").forEach((byte, i) => {
    for (let bit = 0; bit < 8; bit++) if (byte & (1 << bit)) found.push(committed + 1n + BigInt(i * 8 + bit));
  });
  return found;
};
