/** The ERP's tables and changes as statements of PostgreSQL. */
import type { QueryConfig } from "pg";
import { COLUMNS, type ColumnType, type ErpChange, KEY_COLUMNS, type Row, type TableName } from "./tables.ts";

/** With the whole row in the log, so that deletes tell what they deleted. */
export const definitionOf = (table: TableName): readonly string[] => {
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

export const statementFor = ({ table, op, before, after }: ErpChange): QueryConfig => {
  const key = KEY_COLUMNS[table];
  const columns = Object.keys(COLUMNS[table]);
  const values = (row: Row | null) =>
    Object.entries(COLUMNS[table]).map(([column, type]) => valueOf(row?.[column] ?? null, type));
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

const valueOf = (value: string | number | null, type: ColumnType): string | number | null =>
  type === "money" && value !== null ? (Number(value) / 100).toFixed(2) : value;

/** All rows as one JSON array, where dates are text and money is cents, as everywhere in the demo. */
export const selectAll = (table: TableName): string => {
  const columns = Object.entries(COLUMNS[table]).map(([name, type]) =>
    type === "money" ? `(${name} * 100)::bigint AS ${name}` : name,
  );
  return `SELECT json_agg(t) AS rows FROM (SELECT ${columns.join(", ")} FROM sales.${table}) t`;
};

/** Of the database `name`, which cannot go while it has some. */
export const dropSlots = (name: string): string =>
  `SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE database = '${name}'`;
