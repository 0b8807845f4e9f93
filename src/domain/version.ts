/** The source's own position of a change, compared only with positions of the same kind. */

export interface Version {
  /** Which rule compares it: `lsn`, `binlog`, `sqlserver`, `db2`, `oracle`, `mongodb`, `sequence`. */
  readonly kind: string;
  /** As the source writes them; one that is missing is empty text and sorts first. */
  readonly parts: readonly string[];
}

export type Order = -1 | 0 | 1;

/**
 * Where `a` stands to `b`: -1 before, 0 at the same position, 1 after; null when nobody can tell, as between two servers.
 * It says something only about streamed changes of one key: a snapshot's read has a position that is not its age.
 */
export const compareVersions = (a: Version, b: Version): Order | null => {
  if (a.kind !== b.kind || a.parts.length !== b.parts.length) return null;
  switch (a.kind) {
    case "lsn":
    case "oracle": // numbers as text; the commit comes first, since a long transaction's own scn is older than others' commits
    case "mongodb":
      return firstDifference(a.parts, b.parts, compareIntegers);
    case "sequence": // whatever rises with each change of a row, as products count or as a configuration names columns
      // Equal ones do not prove that it is the same change: two may share a second, or one of Oracle's change numbers.
      return firstDifference(a.parts, b.parts, compareRising) || null;
    case "sqlserver":
    case "db2":
      return firstDifference(a.parts, b.parts, compareLogPositions);
    case "binlog":
      return compareBinlog(a.parts, b.parts);
    default:
      return null;
  }
};

type Compare = (a: string, b: string) => Order | null;

const firstDifference = (a: readonly string[], b: readonly string[], compare: Compare): Order | null => {
  for (const [at, part] of a.entries()) {
    const order = compare(part, b[at] ?? "");
    if (order !== 0) return order;
  }
  return 0;
};

/** Without BigInt: of two whole numbers without leading zeros the longer text is the larger. */
const compareIntegers: Compare = (a, b) => {
  if (!/^\d*$/.test(a) || !/^\d*$/.test(b)) return null;
  return order(a.length, b.length) || order(a, b);
};

/** Counters by their size; time stamps and other text only where they are of one width, and so of one form. */
const compareRising: Compare = (a, b) => {
  if (/^\d+$/.test(a) && /^\d+$/.test(b)) return compareIntegers(withoutZeros(a), withoutZeros(b));
  return a.length === b.length ? order(a, b) : null;
};

const withoutZeros = (digits: string): string => digits.replace(/^0+(?=.)/, "");

/** LSNs are hexadecimal of one width, compared as text; an `event_serial_no` is a whole number. */
const compareLogPositions: Compare = (a, b) => {
  if (/^\d*$/.test(a) && /^\d*$/.test(b)) return compareIntegers(a, b);
  return a === "" || b === "" || a.length === b.length ? order(a, b) : null;
};

/**
 * `file, pos, row` of one server. After a switch to another server files start again, so two GTIDs decide first: within a
 * MariaDB domain, or from one MySQL server, their numbers rise; between two of them there is no order.
 */
const compareBinlog = (a: readonly string[], b: readonly string[]): Order | null => {
  const [fileA = "", posA = "", rowA = "", gtidA = ""] = a;
  const [fileB = "", posB = "", rowB = "", gtidB = ""] = b;
  if (gtidA !== gtidB && gtidA !== "" && gtidB !== "") return compareGtids(gtidA, gtidB);
  const files = compareFiles(fileA, fileB);
  return files === 0 ? firstDifference([posA, rowA], [posB, rowB], compareIntegers) : files;
};

/** `erp-bin.000009` before `erp-bin.1000010`; files of different names belong to different servers. */
const compareFiles: Compare = (a, b) => {
  const [nameA, numberA] = splitFile(a);
  const [nameB, numberB] = splitFile(b);
  return nameA === nameB ? compareIntegers(numberA, numberB) : null;
};

const splitFile = (file: string): readonly [name: string, number: string] => {
  const dot = file.lastIndexOf(".");
  return [file.slice(0, dot), withoutZeros(file.slice(dot + 1))];
};

const compareGtids: Compare = (a, b) => {
  const [domainA, numberA] = splitGtid(a);
  const [domainB, numberB] = splitGtid(b);
  return domainA !== null && domainA === domainB ? compareIntegers(numberA, numberB) : null;
};

/** MariaDB `domain-server-number`, MySQL `uuid:number` or `uuid:tag:number`. */
const splitGtid = (gtid: string): readonly [domain: string | null, number: string] => {
  const mariadb = /^(\d+)-\d+-(\d+)$/.exec(gtid);
  if (mariadb !== null) return [mariadb[1] ?? "", mariadb[2] ?? ""];
  const mysql = /^([0-9a-f-]{36}(?::\w+)?):(\d+)$/i.exec(gtid);
  return mysql === null ? [null, ""] : [mysql[1] ?? "", mysql[2] ?? ""];
};

const order = <T extends string | number>(a: T, b: T): Order => (a < b ? -1 : a > b ? 1 : 0);
