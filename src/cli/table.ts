/** Tables of the commands, and what becomes of them where the screen is too narrow. */
import { stripVTControlCharacters } from "node:util";
import Table from "cli-table3";
import { styled, type Terminal } from "./terminal.ts";

type Cell = string | number;

export interface Tabled {
  /** May be empty: then the first column names the row. */
  readonly head: readonly string[];
  readonly rows: readonly (readonly Cell[])[];
  readonly aligned: readonly ("left" | "right")[];
}

const NO_LINES_BETWEEN = { mid: "", "left-mid": "", "mid-mid": "", "right-mid": "" };

/** Without a line break at its end. A table that the screen would break is told as a line a row, with the names of columns. */
export const tableText = (
  { head, rows, aligned }: Tabled,
  terminal: Pick<Terminal, "columns" | "hasColors">,
): string => {
  const table = new Table({
    head: head.map((title) => styled(terminal, "bold", title)),
    chars: NO_LINES_BETWEEN,
    style: { head: [], border: [] },
    colAligns: [...aligned],
  });
  table.push(...rows.map((row) => [...row]));
  const text = table.toString();
  const width = text.indexOf("\n"); // the upper border: nothing but characters of one column
  if (terminal.columns === null || width <= terminal.columns) return text;
  return rows.map((row) => lineOf(row, head)).join("\n");
};

const lineOf = ([first = "", ...others]: readonly Cell[], [, ...names]: readonly string[]): string => {
  const told = others
    .map((cell, at) => ({ cell: String(cell), name: (names[at] ?? "").toLowerCase() }))
    .filter(({ cell }) => stripVTControlCharacters(cell) !== "")
    .map(({ cell, name }) => (name === "" ? cell : `${name} ${cell}`));
  return `${first}: ${told.join(", ")}`;
};
