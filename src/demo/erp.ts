/**
 * An ERP at work: it inserts, updates and deletes rows and reports each change, in waves. A few rows change often and most
 * hardly ever, as in real life. What it holds in the end is what Sell must hold.
 */
import type { Dice } from "./dice.ts";
import { editedContact, editedCustomer, editedOrder, newContact, newCustomer, newOrder } from "./made-up.ts";
import type { Contact, Customer, ErpChange, Order, Row, TableName } from "./tables.ts";

/** Rows that the first wave inserts, as parts of all changes. */
const OPENING = { customers: 0.06, contacts: 0.1, orders: 0.1 } as const;
/** Of these rows, so many are referred to by nobody and may be deleted. */
const UNUSED = 0.1;
/** Parts of a later wave; the rest are updates. Rows are deleted in the last wave only. */
const LATER = { newOrders: 0.04, noOps: 0.1, deletes: 0.04 } as const;

type Versioned = { readonly revision: number; readonly touched_at: string };
type Step = () => ErpChange | null;

export class Erp {
  readonly customers: Customer[] = [];
  readonly contacts: Contact[] = [];
  readonly orders: Order[] = [];
  /** Sell keeps their accounts. */
  readonly deletedCustomers: Customer[] = [];
  readonly #dice: Dice;
  /** The first rows of their tables: these are referred to, and stay. */
  #usedCustomers = 0;
  #usedContacts = 0;
  /** Orders of the first wave that are still there. */
  #oldOrders = 0;
  #orderNumber = 10_000;
  #seconds = 0;

  constructor(dice: Dice) {
    this.#dice = dice;
  }

  /** `changes` row events in `waves` waves; the first wave only inserts. */
  *work(changes: number, waves: number): Generator<readonly ErpChange[]> {
    const opening = this.#opening(changes);
    yield opening;
    const later = changes - opening.length;
    const doneBy = (wave: number): number => Math.floor((later * wave) / (waves - 1));
    for (let wave = 1; wave < waves; wave++) yield this.#wave(doneBy(wave) - doneBy(wave - 1), wave === waves - 1);
  }

  #opening(changes: number): readonly ErpChange[] {
    const rows = (share: number): number => Math.round(changes * share);
    const used = (count: number): number => count - Math.max(1, Math.round(count * UNUSED));
    this.#usedCustomers = used(rows(OPENING.customers));
    this.#usedContacts = used(rows(OPENING.contacts));
    this.#oldOrders = rows(OPENING.orders);
    return [
      ...times(rows(OPENING.customers), (i) => this.#insertCustomer(i + 1)),
      ...times(rows(OPENING.contacts), (i) => this.#insertContact(i + 1)),
      ...times(rows(OPENING.orders), () => this.#insertOrder()),
    ];
  }

  #wave(size: number, deletes: boolean): readonly ErpChange[] {
    const some = (share: number): number => Math.max(1, Math.round(size * share));
    const removals: readonly Step[] = [
      () => this.#deleteOrder(),
      () => this.#deleteContact(),
      () => this.#deleteCustomer(),
    ];
    const steps = [
      ...(deletes ? times(some(LATER.deletes), (i) => removals[i % removals.length] ?? this.#update) : []),
      ...times(some(LATER.newOrders), (): Step => () => this.#insertOrder()),
      ...times(some(LATER.noOps), (): Step => () => this.#touch()),
    ].slice(0, size);
    const updates = times(size - steps.length, (): Step => this.#update);
    return this.#dice.shuffled([...steps, ...updates]).map((step) => step() ?? this.#update());
  }

  // --- inserts --------------------------------------------------------------------------------------------------------

  #insertCustomer(id: number): ErpChange {
    return this.#insert("customers", this.customers, newCustomer(this.#dice, id));
  }

  #insertContact(id: number): ErpChange {
    return this.#insert("contacts", this.contacts, newContact(this.#dice, id, this.#usedCustomers));
  }

  #insertOrder(): ErpChange {
    this.#orderNumber += 1;
    return this.#insert("orders", this.orders, newOrder(this.#dice, this.#orderNumber, this.#usedContacts));
  }

  #insert<R extends Row & Versioned>(table: TableName, rows: R[], values: Omit<R, keyof Versioned>): ErpChange {
    const after = { ...values, revision: 1, touched_at: this.#now() } as R;
    rows.push(after);
    return { table, op: "c", before: null, after, revision: 1, alters: true };
  }

  // --- updates --------------------------------------------------------------------------------------------------------

  readonly #update = (): ErpChange => {
    switch (this.#table()) {
      case "customers":
        return this.#rewrite("customers", this.customers, (row) => editedCustomer(this.#dice, row));
      case "contacts":
        return this.#rewrite("contacts", this.contacts, (row) => editedContact(this.#dice, row));
      case "orders":
        return this.#rewrite("orders", this.orders, (row) => editedOrder(this.#dice, row));
    }
  };

  /** Somebody opened a row and saved it as it was. */
  #touch(): ErpChange {
    const table = this.#table();
    return this.#rewrite<Row & Versioned>(table, this[table], null);
  }

  /** Orders change most. */
  #table(): TableName {
    return this.#dice.oneOf(["customers", "contacts", "orders", "orders", "orders"]);
  }

  #rewrite<R extends Row & Versioned>(table: TableName, rows: R[], edit: ((row: R) => Partial<R>) | null): ErpChange {
    const at = this.#dice.skewedBelow(rows.length);
    const before = rows[at];
    if (before === undefined) throw new RangeError(`the ERP has no ${table}`);
    const alters = edit !== null;
    const revision = before.revision + (alters ? 1 : 0);
    const after = { ...before, ...edit?.(before), revision, touched_at: this.#now() };
    rows[at] = after;
    return { table, op: "u", before, after, revision, alters };
  }

  // --- deletes: null when there is none left that may go -----------------------------------------------------------------

  #deleteCustomer(): ErpChange | null {
    const row = this.customers.length > this.#usedCustomers ? this.customers.pop() : undefined;
    if (row !== undefined) this.deletedCustomers.push(row);
    return deleted("customers", row);
  }

  #deleteContact(): ErpChange | null {
    return deleted("contacts", this.contacts.length > this.#usedContacts ? this.contacts.pop() : undefined);
  }

  #deleteOrder(): ErpChange | null {
    if (this.#oldOrders < 2) return null;
    const [row] = this.orders.splice(this.#dice.below(this.#oldOrders), 1);
    this.#oldOrders -= 1;
    return deleted("orders", row);
  }

  #now(): string {
    this.#seconds += 1;
    return new Date(Date.UTC(2026, 0, 5, 8) + this.#seconds * 1_000).toISOString();
  }
}

const deleted = (table: TableName, before: (Row & Versioned) | undefined): ErpChange | null =>
  before === undefined ? null : { table, op: "d", before, after: null, revision: before.revision, alters: true };

const times = <T>(count: number, make: (i: number) => T): T[] =>
  Array.from({ length: Math.max(0, count) }, (_, i) => make(i));
