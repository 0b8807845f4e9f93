/** The ERP's three tables. Money is in cents; `touched_at` is the one column that nobody maps. */

export type Customer = {
  readonly id: number;
  readonly company_name: string;
  readonly email: string | null;
  readonly city: string;
  readonly credit_limit: number;
  readonly revision: number;
  readonly touched_at: string;
};

export type Contact = {
  readonly id: number;
  readonly customer_id: number;
  readonly first_name: string;
  readonly last_name: string;
  readonly email: string;
  readonly revision: number;
  readonly touched_at: string;
};

export type Order = {
  readonly order_no: string;
  readonly contact_id: number;
  readonly total: number;
  readonly currency: string;
  readonly status: OrderStatus;
  readonly deliver_on: string;
  readonly revision: number;
  readonly touched_at: string;
};

export const ORDER_STATUSES = ["open", "quoted", "won", "lost"] as const;
export type OrderStatus = (typeof ORDER_STATUSES)[number];

export interface Rows {
  readonly customers: Customer;
  readonly contacts: Contact;
  readonly orders: Order;
}

/** All that the ERP holds. Of the customers that it deleted Sell keeps the accounts. */
export interface ErpRows {
  readonly customers: readonly Customer[];
  readonly contacts: readonly Contact[];
  readonly orders: readonly Order[];
  readonly deletedCustomers: readonly Customer[];
}

export type TableName = keyof Rows;
export const TABLE_NAMES = ["customers", "contacts", "orders"] as const satisfies readonly TableName[];

export type Row = { readonly [column: string]: string | number | null };

/** One row event of the ERP. */
export interface ErpChange {
  readonly table: TableName;
  readonly op: "c" | "u" | "d";
  readonly before: Row | null;
  readonly after: Row | null;
  /** The row's version, which rises only when a mapped column changes. */
  readonly revision: number;
  /** False for an update that leaves every mapped column as it was. */
  readonly alters: boolean;
}

export type ColumnType = "integer" | "text" | "money" | "date" | "timestamp";

/** In the order of the columns; the key is the first one. */
export const COLUMNS: { readonly [T in TableName]: { readonly [column in keyof Rows[T]]: ColumnType } } = {
  customers: {
    id: "integer",
    company_name: "text",
    email: "text",
    city: "text",
    credit_limit: "money",
    revision: "integer",
    touched_at: "timestamp",
  },
  contacts: {
    id: "integer",
    customer_id: "integer",
    first_name: "text",
    last_name: "text",
    email: "text",
    revision: "integer",
    touched_at: "timestamp",
  },
  orders: {
    order_no: "text",
    contact_id: "integer",
    total: "money",
    currency: "text",
    status: "text",
    deliver_on: "date",
    revision: "integer",
    touched_at: "timestamp",
  },
};

export const KEY_COLUMNS = { customers: "id", contacts: "id", orders: "order_no" } as const satisfies {
  readonly [T in TableName]: keyof Rows[T];
};
