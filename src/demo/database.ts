/** The ERP's tables in a PostgreSQL database of their own, changed by SQL. */
import pg from "pg";
import { ConnectorError, errorText } from "../domain/errors.ts";
import type { Journal } from "./journal.ts";
import { definitionOf, dropSlots, selectAll, statementFor } from "./sql.ts";
import { type Rows, TABLE_NAMES, type TableName } from "./tables.ts";

export interface Database extends Pick<Journal, "write" | "rows">, AsyncDisposable {
  /** With the database's name in it. */
  readonly url: string;
  /** As Debezium's table.include.list names them. */
  readonly tables: readonly string[];
}

/**
 * `server` is a URL, `name` lower-case letters, digits and underscores. Disposed of, the database is gone, and its slots with it.
 * Everything rejects with `DATABASE_FAILED`, which names the server and what it says.
 */
export const createDatabase = async (server: string, name: string): Promise<Database> => {
  await using stack = new AsyncDisposableStack();
  await once(server, `CREATE DATABASE ${name}`);
  stack.defer(() => once(server, `DROP DATABASE ${name}`).catch(leaveIt));
  const url = Object.assign(new URL(server), { pathname: `/${name}` }).href;
  const session = stack.use(await connect(url));
  stack.defer(() => session.query(dropSlots(name)).then(leaveIt, leaveIt));
  await session.query(["CREATE SCHEMA sales", ...TABLE_NAMES.flatMap(definitionOf)].join(";"));

  const rowsOf = async <T extends TableName>(table: T): Promise<readonly Rows[T][]> =>
    (await session.query(selectAll(table)))[0]?.["rows"] ?? [];
  const owned = stack.move();
  return {
    url,
    tables: TABLE_NAMES.map((table) => `sales.${table}`),
    async write(transaction) {
      await session.query("BEGIN");
      for (const change of transaction) await session.query(statementFor(change));
      await session.query("COMMIT");
    },
    rows: async ({ deletedCustomers }) => ({
      customers: await rowsOf("customers"),
      contacts: await rowsOf("contacts"),
      orders: await rowsOf("orders"),
      deletedCustomers,
    }),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
};

/** A server that is gone has nothing to tidy up, and the error that told so must not be hidden by another. */
const leaveIt = (): void => {};

interface Session extends AsyncDisposable {
  query(statement: string | pg.QueryConfig): Promise<readonly pg.QueryResultRow[]>;
}

const connect = async (url: string): Promise<Session> => {
  const client = new pg.Client(url);
  client.on("error", () => {}); // a lost connection fails the next query, which says so
  const asked = <T>(answer: Promise<T>): Promise<T> =>
    answer.catch((cause: unknown) => Promise.reject(failed(url, cause)));
  await asked(client.connect());
  return {
    query: async (statement) => (await asked(client.query(statement))).rows,
    [Symbol.asyncDispose]: () => client.end(),
  };
};

const once = async (url: string, statement: string): Promise<void> => {
  await using session = await connect(url);
  await session.query(statement);
};

const failed = (url: string, cause: unknown): ConnectorError =>
  new ConnectorError("DATABASE_FAILED", `PostgreSQL at ${new URL(url).host} failed: ${reasonOf(cause)}.`, {
    retriable: false,
    cause,
  });

/** A name with two addresses fails twice, and Node's error about both says nothing itself. */
const reasonOf = (cause: unknown): string =>
  cause instanceof AggregateError ? cause.errors.map(errorText).join(", ") : errorText(cause);
