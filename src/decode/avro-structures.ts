/** Structs, lists and maps of Avro, as deep as they may be. */
import { type AvroCursor, type AvroReader, broken } from "./avro-cursor.ts";
import { type Raw, unmark } from "./raw.ts";

/**
 * Objects of one constructor get their members in one order, which the engine keeps as fast as fields; its prototype is
 * empty, so that a field `__proto__` is only a field.
 */
export const structReader = (fields: readonly { readonly name: string; readonly read: AvroReader }[]): AvroReader => {
  const Struct = function Struct() {} as unknown as new () => Record<string, Raw>;
  Struct.prototype = Object.create(null);
  return nested((cursor) => {
    cursor.spend(fields.length);
    const struct = new Struct();
    for (const { name, read } of fields) struct[name] = read(cursor);
    return struct;
  });
};

export const listReader = (item: AvroReader): AvroReader =>
  nested((cursor) => {
    const list: Raw[] = [];
    cursor.blocks(() => list.push(item(cursor)));
    return list;
  });

export const mapReader = (value: AvroReader): AvroReader =>
  nested((cursor) => {
    const map: Record<string, Raw> = Object.create(null);
    cursor.blocks(() => {
      map[unmark(cursor.text())] = value(cursor);
    });
    return map;
  });

const MAX_DEPTH = 100;

/** Only a schema that holds itself can nest deeper than it is written, and it must not overflow the stack. */
const nested =
  (read: AvroReader) =>
  (cursor: AvroCursor): Raw => {
    if (++cursor.depth > MAX_DEPTH) throw broken(`nest deeper than ${MAX_DEPTH} levels`);
    const raw = read(cursor);
    cursor.depth--;
    return raw;
  };
