/**
 * An Avro schema compiled once into a reader and a plan. The reader is ours because Debezium needs what avsc does not give:
 * 64-bit numbers without loss, the semantic types of `connect.name` instead of `logicalType`, and a bound on broken bytes
 * (avsc fills the memory when an array announces more items than follow).
 */
import { AvroCursor, type AvroReader, broken } from "./avro-cursor.ts";
import { type Column, listColumn, mapColumn, plain, semanticColumn } from "./column.ts";
import { NO_PLAN, nestedColumn, type StructPlan } from "./plan.ts";
import { type Raw, unmark } from "./raw.ts";

export interface AvroSchema {
  /** Reads a whole datum from `offset`; bytes left over are an error. Throws DecodeError `truncated-avro`. */
  read(bytes: Buffer, offset: number): Raw;
  readonly plan: StructPlan;
}

/** What a schema, or a part of one, compiles to. */
interface Node {
  readonly read: AvroReader;
  /** Undefined: plain. */
  readonly column?: Column | undefined;
  readonly struct?: StructPlan;
}

interface Scope {
  /** By full name, global to a schema. */
  readonly names: Map<string, Node>;
  /** Inherited by what is defined inside. */
  readonly namespace: string;
}

type Attributes = Readonly<Record<string, unknown>>;

const MAX_DEPTH = 100;

const NULL: Node = { read: () => null };
const PRIMITIVES: Readonly<Record<string, Node>> = {
  null: NULL,
  boolean: { read: (cursor) => cursor.byte() !== 0 },
  int: { read: (cursor) => cursor.long() },
  long: { read: (cursor) => cursor.long() },
  float: { read: (cursor) => cursor.float() },
  double: { read: (cursor) => cursor.double() },
  bytes: { read: (cursor) => cursor.take(cursor.int()) },
  string: { read: (cursor) => cursor.text() },
};

/** `schemas` as parsed: those referred to first, the one of the data last. Throws an Error on a schema that is none. */
export const compileAvroSchema = (schemas: readonly unknown[]): AvroSchema => {
  const names = new Map(Object.entries(PRIMITIVES));
  const { read, struct } = schemas.map((schema) => compile(schema, { names, namespace: "" })).at(-1) ?? NULL;
  return {
    read(bytes, offset) {
      const cursor = new AvroCursor(bytes, offset);
      const raw = read(cursor);
      if (cursor.left > 0) throw broken("go on after the value");
      return raw;
    },
    plan: struct ?? NO_PLAN,
  };
};

const compile = (schema: unknown, scope: Scope): Node => {
  if (typeof schema === "string") return lookUp(schema, scope);
  if (Array.isArray(schema)) return compileUnion(schema, scope);
  if (!isAttributes(schema)) throw new Error("an Avro schema is neither a name nor a list nor an object");
  const semantic = semanticOf(schema);
  const node = compileType(schema, scope);
  const typed = semantic === undefined ? node : { ...node, column: semantic };
  if (typeof schema.name === "string") scope.names.set(fullName(schema, scope), typed);
  return typed;
};

const compileType = (schema: Attributes, scope: Scope): Node => {
  switch (schema.type) {
    case "record":
      return compileRecord(schema, scope);
    case "enum":
      return compileEnum(schema);
    case "fixed":
      return compileFixed(schema);
    case "array": {
      const item = compile(schema.items, scope);
      return { read: nested((cursor) => readList(cursor, item.read)), column: listColumn(item.column) };
    }
    case "map": {
      const value = compile(schema.values, scope);
      return { read: nested((cursor) => readMap(cursor, value.read)), column: mapColumn(value.column) };
    }
    default:
      return compile(schema.type, scope);
  }
};

/** Debezium's optional columns are null and one type, in either order; of several types the value does not tell which it had. */
const compileUnion = (branches: readonly unknown[], scope: Scope): Node => {
  const nodes = branches.map((branch) => compile(branch, scope));
  const read: AvroReader = (cursor) => {
    const branch = nodes[cursor.int()];
    if (branch === undefined) throw broken("choose a branch that their union does not have");
    return branch.read(cursor);
  };
  const typed = nodes.filter((node) => node !== NULL);
  return typed.length === 1 ? { ...typed[0], read } : { read };
};

const compileRecord = (schema: Attributes, scope: Scope): Node => {
  const name = fullName(schema, scope);
  let complete: Node = NULL;
  // A record may hold itself: what refers to it before it is complete asks again when it reads.
  scope.names.set(name, {
    read: (cursor) => complete.read(cursor),
    column: (raw) => (complete.column ?? plain)(raw),
  });
  const inner = { names: scope.names, namespace: name.slice(0, Math.max(name.lastIndexOf("."), 0)) };
  const fields = fieldsOf(schema).map((field) => ({ name: field.name, ...compile(field.type, inner) }));
  const columns = new Map<string, Column>();
  const structs = new Map<string, StructPlan>();
  for (const field of fields) {
    if (field.column !== undefined) columns.set(field.name, field.column);
    if (field.struct !== undefined) structs.set(field.name, field.struct);
  }
  const struct = { columns, structs };
  complete = { read: nested((cursor) => readStruct(cursor, fields)), column: nestedColumn(struct), struct };
  return complete;
};

const compileEnum = ({ symbols }: Attributes): Node => {
  if (!Array.isArray(symbols)) throw new Error("an Avro enum has no symbols");
  const read: AvroReader = (cursor) => {
    const symbol: unknown = symbols[cursor.int()];
    if (typeof symbol !== "string") throw broken("choose a symbol that their enum does not have");
    return symbol;
  };
  return { read };
};

const compileFixed = ({ size }: Attributes): Node => {
  if (typeof size !== "number" || !(size >= 0)) throw new Error("an Avro fixed type has no size");
  return { read: (cursor) => cursor.take(size) };
};

const readStruct = (
  cursor: AvroCursor,
  fields: readonly { readonly name: string; readonly read: AvroReader }[],
): Raw => {
  const struct: Record<string, Raw> = Object.create(null);
  for (const { name, read } of fields) struct[name] = read(cursor);
  return struct;
};

const readList = (cursor: AvroCursor, item: AvroReader): Raw => {
  const list: Raw[] = [];
  cursor.blocks(() => list.push(item(cursor)));
  return list;
};

const readMap = (cursor: AvroCursor, value: AvroReader): Raw => {
  const map: Record<string, Raw> = Object.create(null);
  cursor.blocks(() => {
    map[unmark(cursor.text())] = value(cursor);
  });
  return map;
};

/** Only a schema that holds itself can nest deeper than it is written, and it must not overflow the stack. */
const nested =
  (read: AvroReader): AvroReader =>
  (cursor) => {
    if (++cursor.depth > MAX_DEPTH) throw broken(`nest deeper than ${MAX_DEPTH} levels`);
    const raw = read(cursor);
    cursor.depth--;
    return raw;
  };

/** Debezium's types by `connect.name`; Avro's own logical types mean an instant where Debezium means a wall clock, all but one. */
const semanticOf = (schema: Attributes): Column | undefined => {
  const name = schema["connect.name"];
  const parameters = schema["connect.parameters"];
  const semantic =
    typeof name === "string" ? semanticColumn(name, isAttributes(parameters) ? parameters : {}) : undefined;
  if (semantic !== undefined || schema.logicalType !== "decimal") return semantic;
  return semanticColumn("org.apache.kafka.connect.data.Decimal", { scale: schema.scale });
};

const lookUp = (name: string, { names, namespace }: Scope): Node => {
  const node = names.get(`${namespace}.${name}`) ?? names.get(name);
  if (node === undefined) throw new Error(`the Avro type ${name} is not defined`);
  return node;
};

const fullName = ({ name, namespace }: Attributes, scope: Scope): string => {
  const space = typeof namespace === "string" ? namespace : scope.namespace;
  return String(name).includes(".") || space === "" ? String(name) : `${space}.${name}`;
};

const fieldsOf = ({ fields }: Attributes): readonly { readonly name: string; readonly type: unknown }[] => {
  if (!Array.isArray(fields)) throw new Error("an Avro record has no fields");
  return fields.map(({ name, type }) => ({ name: String(name), type }));
};

const isAttributes = (value: unknown): value is Attributes =>
  typeof value === "object" && value !== null && !Array.isArray(value);
