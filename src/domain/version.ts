/** The source's own position of a change, compared only with positions of the same kind. */

export interface Version {
  /** Which rule compares it: `lsn`, `binlog`, `sqlserver`, `oracle`, `mongodb`, ... */
  readonly kind: string;
  readonly parts: readonly string[];
}
