/** A field that the account on the other side has made for itself. */
export interface CustomField {
  readonly name: string;
  readonly type: string;
  /** Null: it takes any value. */
  readonly choices: readonly string[] | null;
  /** Of contacts: whether companies have it, whether persons have it. */
  readonly forCompanies: boolean;
  readonly forPersons: boolean;
}
