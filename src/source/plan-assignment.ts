/**
 * Who reads what. Partition p of every topic goes to one member, so that keys of co-partitioned topics meet in one process;
 * members keep what they had, and only as much moves as balance needs. Pure: the same members and claims give the same plan.
 */
import type { PartitionsByTopic } from "./ownership.ts";

export interface Member {
  readonly memberId: string;
  readonly topics: readonly string[];
  /** What it owned until now; only a hint, two members may claim the same. */
  readonly claims: PartitionsByTopic;
}

/** Partition number `number` of all `topics`: what moves as one. Its weight is the number of topics. */
interface Unit {
  readonly number: number;
  readonly topics: readonly string[];
  readonly readers: readonly Seat[];
  owner: Seat;
}

interface Seat {
  readonly member: Member;
  load: number;
}

/**
 * Gives every partition of every subscribed topic to exactly one of the members that subscribe it. The loads of two members
 * with the same topics differ by at most the lightest number that the heavier one has.
 */
export const planAssignment = (
  members: readonly Member[],
  partitions: PartitionsByTopic,
): ReadonlyMap<string, PartitionsByTopic> => {
  const seats = members
    .map((member) => ({ member, load: 0 }))
    .sort((a, b) => (a.member.memberId < b.member.memberId ? -1 : 1));
  const units = seatUnits(seats, partitions);
  while (moveOne(units)); // bound: each move lowers the sum of the squared loads
  return new Map(seats.map((seat) => [seat.member.memberId, partitionsOf(seat, units)]));
};

/** Sticky start: claimed units stay, the others go heaviest first to whoever has least. */
const seatUnits = (seats: readonly Seat[], partitions: PartitionsByTopic): Unit[] => {
  const open: Omit<Unit, "owner">[] = [];
  const units: Unit[] = [];
  const seat = (unit: Omit<Unit, "owner">, owner: Seat): void => {
    owner.load += unit.topics.length;
    units.push({ ...unit, owner });
  };
  for (const unit of unitsOf(seats, partitions)) {
    const claimant = best(unit.readers, (reader) => -claimed(reader, unit));
    if (claimed(claimant, unit) > 0) seat(unit, claimant);
    else open.push(unit);
  }
  open.sort((a, b) => b.topics.length - a.topics.length || a.number - b.number);
  for (const unit of open)
    seat(
      unit,
      best(unit.readers, ({ load }) => load),
    );
  return units;
};

/** Topics with the same readers are bound together; while a rollout changes the subscriptions there are several such sets. */
const unitsOf = (seats: readonly Seat[], partitions: PartitionsByTopic): Omit<Unit, "owner">[] => {
  const units = new Map<string, { number: number; topics: string[]; readers: readonly Seat[] }>();
  for (const topic of Object.keys(partitions).sort()) {
    const readers = seats.filter(({ member }) => member.topics.includes(topic));
    if (readers.length === 0) continue;
    const readerIds = readers.map(({ member }) => member.memberId).join();
    for (const number of partitions[topic] ?? []) {
      const id = `${number} ${readerIds}`;
      const unit = units.get(id);
      if (unit) unit.topics.push(topic);
      else units.set(id, { number, topics: [topic], readers });
    }
  }
  return [...units.values()];
};

const claimed = ({ member }: Seat, { number, topics }: Pick<Unit, "number" | "topics">): number =>
  topics.filter((topic) => member.claims[topic]?.includes(number)).length;

/** Moves one unit to a lighter reader if that brings the two closer; the one that brings them closest, of the widest gap. */
const moveOne = (units: readonly Unit[]): boolean => {
  let move: { readonly unit: Unit; readonly to: Seat; readonly gap: number; readonly rest: number } | null = null;
  for (const unit of units) {
    const to = best(unit.readers, ({ load }) => load);
    const gap = unit.owner.load - to.load;
    const rest = Math.abs(gap - 2 * unit.topics.length);
    if (gap <= unit.topics.length) continue;
    if (move === null || gap > move.gap || (gap === move.gap && rest < move.rest)) move = { unit, to, gap, rest };
  }
  if (move === null) return false;
  move.unit.owner.load -= move.unit.topics.length;
  move.to.load += move.unit.topics.length;
  move.unit.owner = move.to;
  return true;
};

/** The first of those with the lowest score; never called without seats. */
const best = (seats: readonly Seat[], score: (seat: Seat) => number): Seat =>
  seats.reduce((winner, seat) => (score(seat) < score(winner) ? seat : winner));

const partitionsOf = (seat: Seat, units: readonly Unit[]): PartitionsByTopic => {
  const assigned: { [topic: string]: number[] } = {};
  for (const { owner, topics, number } of units) {
    if (owner !== seat) continue;
    for (const topic of topics) (assigned[topic] ??= []).push(number);
  }
  for (const numbers of Object.values(assigned)) numbers.sort((a, b) => a - b);
  return assigned;
};
