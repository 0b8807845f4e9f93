/** What Debezium's PostgreSQL connector writes for a change (REPLICA IDENTITY FULL: `before` is the whole row). */
import { COLUMNS, type ColumnType, type ErpChange, KEY_COLUMNS, type Row, type TableName } from "./tables.ts";

/** Where and when the database committed it. */
export interface Commit {
  readonly lsn: number;
  readonly tsMs: number;
}

/** How the format at hand writes Connect's Decimal: the unscaled value, big-endian two's complement. */
type MoneyAs<M> = (unscaled: Buffer) => M;

export const envelopeOf = <M>(change: ErpChange, { lsn, tsMs }: Commit, moneyAs: MoneyAs<M>) => ({
  before: change.before === null ? null : wireRow(change.table, change.before, moneyAs),
  after: change.after === null ? null : wireRow(change.table, change.after, moneyAs),
  source: {
    version: "3.7.0.Final",
    connector: "postgresql",
    name: "erp",
    ts_ms: tsMs,
    snapshot: "false",
    db: "erp",
    sequence: `[null,"${lsn}"]`,
    schema: "sales",
    table: change.table,
    txId: lsn,
    lsn,
  },
  op: change.op,
  ts_ms: tsMs,
});

export const keyOf = ({ table, before, after }: ErpChange): Row => {
  const column = KEY_COLUMNS[table];
  return { [column]: (after ?? before)?.[column] ?? null };
};

const wireRow = <M>(table: TableName, row: Row, moneyAs: MoneyAs<M>) =>
  Object.fromEntries(
    Object.entries(COLUMNS[table]).map(([column, type]) => [column, wireValue(row[column] ?? null, type, moneyAs)]),
  );

const wireValue = <M>(value: string | number | null, type: ColumnType, moneyAs: MoneyAs<M>) => {
  if (value === null) return null;
  switch (type) {
    case "money":
      return moneyAs(unscaled(Number(value)));
    case "date":
      return Date.parse(String(value)) / 86_400_000; // days since 1970
    case "integer":
    case "text":
    case "timestamp":
      return value;
  }
};

/** As few bytes as hold the sign too, like Java's BigInteger. */
const unscaled = (cents: number): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(BigInt(cents));
  let start = 0;
  while (start < 7 && isSignOnly(bytes[start] ?? 0, bytes[start + 1] ?? 0)) start++;
  return bytes.subarray(start);
};

const isSignOnly = (byte: number, next: number): boolean =>
  (byte === 0 && next < 0x80) || (byte === 0xff && next >= 0x80);
