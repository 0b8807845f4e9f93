/** The ERP's tables in a PostgreSQL database of their own, changed by SQL. */
import pg from "pg";
import type { Journal } from "./ledger.ts";
import {
  COLUMNS,
  type ColumnType,
  type ErpChange,
  KEY_COLUMNS,
  type Row,
  TABLE_NAMES,
  type TableName,
} from "./tables.ts";

export interface Database extends Journal, AsyncDisposable {
  /** With the database's name in it. */
  readonly url: string;
  /** As Debezium's table.include.list names them. */
  readonly tables: readonly string[];
}

/** `server` is a URL, `name` lower-case letters, digits and underscores. Disposed of, the database is gone, and its slots with it. */
export const createDatabase = async (server: string, name: string): Promise<Database> => {
  await inSession(server, (session) => session.query(`CREATE DATABASE ${name}`));
  const url = Object.assign(new URL(server), { pathname: `/${name}` }).href;
  const session = await connect(url);
  await session.query(["CREATE SCHEMA sales", ...TABLE_NAMES.flatMap(definitionOf)].join(";"));
  return {
    url,
    tables: TABLE_NAMES.map((table) => `sales.${table}`),
    async write(transaction) {
      await session.query("BEGIN");
      for (const change of transaction) await session.query(statementFor(change));
      await session.query("COMMIT");
    },
    async [Symbol.asyncDispose]() {
      await session.query("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE database = $1", [
        name,
      ]);
      await session.end();
      await inSession(server, (other) => other.query(`DROP DATABASE ${name}`));
    },
  };
};

/** With the whole row in the log, so that deletes tell what they deleted. */
const definitionOf = (table: TableName): readonly string[] => {
  const columns = Object.entries(COLUMNS[table]).map(([name, type]) => `${name} ${SQL_TYPES[type]}`);
  return [
    `CREATE TABLE sales.${table} (${columns.join(", ")}, PRIMARY KEY (${KEY_COLUMNS[table]}))`,
    `ALTER TABLE sales.${table} REPLICA IDENTITY FULL`,
  ];
};

const SQL_TYPES: { readonly [T in ColumnType]: string } = {
  integer: "bigint",
  text: "text",
  money: "numeric(12,2)",
  date: "date",
  timestamp: "timestamptz",
};

const statementFor = ({ table, op, before, after }: ErpChange): pg.QueryConfig => {
  const key = KEY_COLUMNS[table];
  const columns = Object.keys(COLUMNS[table]);
  const values = (row: Row | null) =>
    columns.map((column, i) => valueOf(row?.[column] ?? null, Object.values(COLUMNS[table])[i]));
  switch (op) {
    case "c":
      return {
        text: `INSERT INTO sales.${table} (${columns.join(", ")}) VALUES (${columns.map((_, i) => `$${i + 1}`).join(", ")})`,
        values: values(after),
      };
    case "u":
      return {
        text: `UPDATE sales.${table} SET ${columns.map((column, i) => `${column} = $${i + 1}`).join(", ")} WHERE ${key} = $${columns.length + 1}`,
        values: [...values(after), before?.[key]],
      };
    case "d":
      return { text: `DELETE FROM sales.${table} WHERE ${key} = $1`, values: [before?.[key]] };
  }
};

const valueOf = (value: string | number | null, type: ColumnType | undefined): string | number | null =>
  type === "money" && value !== null ? (Number(value) / 100).toFixed(2) : value;

const inSession = async (url: string, act: (session: pg.Client) => Promise<unknown>): Promise<void> => {
  const session = await connect(url);
  try {
    await act(session);
  } finally {
    await session.end();
  }
};

const connect = async (url: string): Promise<pg.Client> => {
  const session = new pg.Client(url);
  session.on("error", () => {}); // a lost connection fails the next query, which says so
  await session.connect();
  return session;
};
