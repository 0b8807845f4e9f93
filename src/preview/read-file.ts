/** Reads rows from a file, NDJSON or CSV, one by one: memory is that of one row. */
import { type FileHandle, open } from "node:fs/promises";
import { pipeline } from "node:stream";
import { parse } from "csv-parse";
import { ConnectorError, errorText } from "../domain/errors.ts";

/** One row; `text` is its JSON as it was written, exact numbers included. */
export interface FileRow {
  readonly value: unknown;
  readonly text: string;
}

const ROW_BYTES_MAX = 32 * 1024 * 1024;

/** A `.csv` has its column names in the first line, and every value is text; an empty one is null. Rejects with `FILE_UNREADABLE`. */
export async function* readRows(path: string): AsyncGenerator<FileRow> {
  try {
    await using file = await open(path);
    yield* /\.csv$/i.test(path) ? csvRows(file) : jsonLines(file, path);
  } catch (error) {
    if (error instanceof ConnectorError) throw error;
    throw unreadable(`${path} cannot be read: ${errorText(error)}.`);
  }
}

async function* csvRows(file: FileHandle): AsyncGenerator<FileRow> {
  const parser = parse({ bom: true, columns: true, skip_empty_lines: true, max_record_size: ROW_BYTES_MAX });
  // The callback is not needed: a failure to read also ends the parser with it.
  const rows = pipeline(file.createReadStream({ autoClose: false }), parser, () => {});
  for await (const row of rows as AsyncIterable<Readonly<Record<string, string>>>) {
    const value = Object.fromEntries(Object.entries(row).map(([name, text]) => [name, text === "" ? null : text]));
    yield { value, text: JSON.stringify(value) };
  }
}

async function* jsonLines(file: FileHandle, path: string): AsyncGenerator<FileRow> {
  let number = 0;
  for await (const line of file.readLines({ autoClose: false })) {
    number += 1;
    const text = number === 1 ? line.replace(/^\ufeff/, "") : line;
    if (text.trim() !== "") yield { value: jsonOf(text, path, number), text };
  }
}

const jsonOf = (line: string, path: string, number: number): unknown => {
  try {
    return JSON.parse(line);
  } catch {
    throw unreadable(`Line ${number} of ${path} is no JSON; write one object a line.`);
  }
};

const unreadable = (message: string): ConnectorError =>
  new ConnectorError("FILE_UNREADABLE", message, { retriable: false });
