/**
 * The records of one resource, and the lagging index that lists, filters and upserts look through. Reads by id see a
 * write at once; the index sees it `lagMs` later, as Sell's does, so that two quick upserts of one key make twins.
 */
import type { JsonObject } from "./reply.ts";
import { valueAt } from "./value-at.ts";

export interface Row {
  readonly id: number;
  readonly createdMs: number;
  updatedMs: number;
  /** The same as ISO text, for replies. */
  readonly createdAt: string;
  updatedAt: string;
  /** Counts the changes of the record, from 1. */
  version: number;
  /** Replaced by each write, never changed in place: the index keeps the one it has seen. */
  record: JsonObject;
  /** The record as the index knows it; null: not yet. */
  indexed: JsonObject | null;
  deleted: boolean;
}

export interface Filter {
  /** `name`, `custom_fields.erp_id`, `address.city`. */
  readonly path: string;
  readonly value: string;
}

interface Pending {
  readonly row: Row;
  readonly record: JsonObject;
  readonly visibleMs: number;
}

/** Filters on more paths than this scan. */
const MAX_INDEXES = 16;

export class Table {
  readonly #rows = new Map<number, Row>();
  readonly #indexes = new Map<string, Map<string, Row[]>>();
  /** Bound: the writes of one index lag. */
  #pending: Pending[] = [];
  #head = 0;
  readonly #isIndexed: (path: string) => boolean;

  /** `isIndexed`: paths of single values that get an index when first asked for; any other filter scans. */
  constructor(isIndexed: (path: string) => boolean) {
    this.#isIndexed = isIndexed;
  }

  get size(): number {
    return this.#rows.size;
  }

  rows(): IterableIterator<Row> {
    return this.#rows.values();
  }

  get(id: number): Row | undefined {
    return this.#rows.get(id);
  }

  insert(id: number, record: JsonObject, nowMs: number, visibleMs: number): Row {
    const at = isoOf(nowMs);
    const row: Row = {
      id,
      createdMs: nowMs,
      updatedMs: nowMs,
      createdAt: at,
      updatedAt: at,
      version: 1,
      record,
      indexed: null,
      deleted: false,
    };
    this.#rows.set(id, row);
    this.#pending.push({ row, record, visibleMs });
    return row;
  }

  replace(row: Row, record: JsonObject, nowMs: number, visibleMs: number): void {
    row.record = record;
    row.version += 1;
    this.touch(row, nowMs);
    this.#pending.push({ row, record, visibleMs });
  }

  /** `updatedMs` always ends after `createdMs`: comparing the two is how a client tells an update from a create. */
  touch(row: Row, nowMs: number): void {
    row.updatedMs = Math.max(nowMs, row.createdMs + 1);
    row.updatedAt = isoOf(row.updatedMs);
  }

  remove(row: Row): void {
    row.deleted = true;
    this.#rows.delete(row.id);
    this.#reindex(row, null);
  }

  /** Rows whose indexed state passes all filters, in the order of their ids. No filter: all the index knows. */
  find(filters: readonly Filter[], monotonicMs: number): Row[] {
    this.#catchUp(monotonicMs);
    const lead = filters.find(({ path }) => this.#index(path) !== null);
    const candidates = lead === undefined ? this.#rows.values() : (this.#index(lead.path)?.get(lead.value) ?? []);
    const found: Row[] = [];
    for (const row of candidates) {
      const { indexed } = row;
      if (indexed !== null && filters.every((filter) => filter === lead || holds(indexed, filter))) found.push(row);
    }
    return lead === undefined || found.length < 2 ? found : found.sort((a, b) => a.id - b.id);
  }

  #catchUp(monotonicMs: number): void {
    const pending = this.#pending;
    for (; this.#head < pending.length; this.#head += 1) {
      const next = pending[this.#head];
      if (next === undefined || next.visibleMs > monotonicMs) break;
      if (!next.row.deleted) this.#reindex(next.row, next.record);
    }
    if (this.#head > 1_024 && this.#head * 2 > pending.length) {
      this.#pending = pending.slice(this.#head);
      this.#head = 0;
    }
  }

  #index(path: string): Map<string, Row[]> | null {
    const known = this.#indexes.get(path);
    if (known !== undefined) return known;
    if (!this.#isIndexed(path) || this.#indexes.size >= MAX_INDEXES) return null;
    const index = new Map<string, Row[]>();
    for (const row of this.#rows.values()) if (row.indexed !== null) addTo(index, textAt(row.indexed, path), row);
    this.#indexes.set(path, index);
    return index;
  }

  #reindex(row: Row, record: JsonObject | null): void {
    for (const [path, index] of this.#indexes) {
      const before = row.indexed === null ? null : textAt(row.indexed, path);
      const after = record === null ? null : textAt(record, path);
      if (before === after) continue;
      removeFrom(index, before, row);
      addTo(index, after, row);
    }
    row.indexed = record;
  }
}

const addTo = (index: Map<string, Row[]>, text: string | null, row: Row): void => {
  if (text === null) return;
  const rows = index.get(text);
  if (rows === undefined) index.set(text, [row]);
  else rows.push(row);
};

const removeFrom = (index: Map<string, Row[]>, text: string | null, row: Row): void => {
  if (text === null) return;
  const rows = index.get(text)?.filter((other) => other !== row) ?? [];
  if (rows.length === 0) index.delete(text);
  else index.set(text, rows);
};

const holds = (record: JsonObject, { path, value }: Filter): boolean => {
  const found = valueAt(record, path);
  return Array.isArray(found) ? found.some((element) => String(element) === value) : textOf(found) === value;
};

const textAt = (record: JsonObject, path: string): string | null => textOf(valueAt(record, path));

const textOf = (value: unknown): string | null =>
  value === null || value === undefined || typeof value === "object" ? null : String(value);

/** Rows of one batch share their millisecond: the last text is kept. */
let lastMs = Number.NaN;
let lastIso = "";
const isoOf = (ms: number): string => {
  if (ms !== lastMs) {
    lastIso = new Date(ms).toISOString();
    lastMs = ms;
  }
  return lastIso;
};
