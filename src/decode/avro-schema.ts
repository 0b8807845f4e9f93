/**
 * An Avro schema compiled once into a reader and a plan. The reader is ours because Debezium needs what avsc does not give:
 * 64-bit numbers without loss, the semantic types of `connect.name` instead of `logicalType`, and a bound on broken bytes
 * (avsc fills the memory when an array announces more items than follow).
 */
import { AvroCursor, type AvroReader, broken } from "./avro-cursor.ts";
import { listReader, mapReader, structReader } from "./avro-structures.ts";
import { type Column, listColumn, mapColumn, plain, semanticColumn } from "./column.ts";
import { isScale } from "./decimal.ts";
import { NO_PLAN, nestedColumn, type StructPlan } from "./plan.ts";
import type { Raw } from "./raw.ts";

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
  /** Schemas around this one. */
  readonly depth: number;
}

type Attributes = Readonly<Record<string, unknown>>;

/** A schema takes about three levels for one of the data: a list or object, a union, a field. */
const MAX_SCHEMA_DEPTH = 500;

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

/**
 * `schemas` as parsed: those referred to first, the one of the data last. What only readers or registries mind is not looked
 * at: defaults that do not fit, names with odd characters, aliases. Throws an Error, whose message is half a sentence, on a
 * schema that is none, and where an amount would be misread.
 */
export const compileAvroSchema = (schemas: readonly unknown[]): AvroSchema => {
  const names = new Map(Object.entries(PRIMITIVES));
  const { read, struct } = schemas.map((schema) => compile(schema, { names, namespace: "", depth: 0 })).at(-1) ?? NULL;
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

const compile = (schema: unknown, around: Scope): Node => {
  if (typeof schema === "string") return lookUp(schema, around);
  const scope = { ...around, depth: around.depth + 1 };
  if (scope.depth > MAX_SCHEMA_DEPTH) throw new Error(`it is nested deeper than ${MAX_SCHEMA_DEPTH} levels`);
  if (Array.isArray(schema)) return compileUnion(schema, scope);
  if (!isAttributes(schema)) throw new Error("a part of it is neither a name nor a list nor an object");
  const semantic = semanticOf(schema);
  const node = compileType(schema, scope);
  const typed = semantic === undefined ? node : { ...node, column: semantic };
  if (typeof schema.name === "string") scope.names.set(fullName(schema, scope), typed);
  return typed;
};

const compileType = (schema: Attributes, scope: Scope): Node => {
  switch (schema.type) {
    case "record":
    case "error": // a record by the word for what a remote call throws
      return compileRecord(schema, scope);
    case "enum":
      return compileEnum(schema);
    case "fixed":
      return compileFixed(schema);
    case "array": {
      const item = compile(schema.items, scope);
      return { read: listReader(item.read), column: listColumn(item.column) };
    }
    case "map": {
      const value = compile(schema.values, scope);
      return { read: mapReader(value.read), column: mapColumn(value.column) };
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
  const inner = { ...scope, namespace: name.slice(0, Math.max(name.lastIndexOf("."), 0)) };
  const fields = fieldsOf(schema).map((field) => ({ name: field.name, ...compile(field.type, inner) }));
  const columns = new Map<string, Column>();
  const structs = new Map<string, StructPlan>();
  for (const field of fields) {
    if (field.column !== undefined) columns.set(field.name, field.column);
    if (field.struct !== undefined) structs.set(field.name, field.struct);
  }
  const struct = { columns, structs };
  complete = { read: structReader(fields), column: nestedColumn(struct), struct };
  return complete;
};

const compileEnum = ({ symbols }: Attributes): Node => {
  if (!Array.isArray(symbols)) throw new Error("an enum has no symbols");
  const read: AvroReader = (cursor) => {
    const symbol: unknown = symbols[cursor.int()];
    if (typeof symbol !== "string") throw broken("choose a symbol that their enum does not have");
    return symbol;
  };
  return { read };
};

const compileFixed = ({ size }: Attributes): Node => {
  if (!Number.isSafeInteger(size) || Number(size) < 0) throw new Error("a fixed type has no size");
  return { read: (cursor) => cursor.take(Number(size)) };
};

/** Debezium's types by `connect.name`; Avro's own logical types mean an instant where Debezium means a wall clock, all but one. */
const semanticOf = (schema: Attributes): Column | undefined => {
  const name = schema["connect.name"];
  const parameters = schema["connect.parameters"];
  const isDecimal = schema.logicalType === "decimal" && (schema.type === "bytes" || schema.type === "fixed");
  if (name === DECIMAL) return decimalOf(isAttributes(parameters) ? parameters.scale : schema.scale);
  if (typeof name === "string") {
    const semantic = semanticColumn(name, isAttributes(parameters) ? parameters : {});
    if (semantic !== undefined) return semantic;
  }
  return isDecimal ? decimalOf(schema.scale) : undefined;
};

const DECIMAL = "org.apache.kafka.connect.data.Decimal";

/**
 * Avro's rule for a logical type with bad parameters is to read the bytes beneath it. For an amount of money that is no
 * reading at all; a missing scale is 0, as the rule has it, and the precision changes no value.
 */
const decimalOf = (scale: unknown = 0): Column | undefined => {
  if (!isScale(Number(scale))) throw new Error("a decimal has a scale that is not a whole number of digits");
  return semanticColumn(DECIMAL, { scale });
};

const lookUp = (name: string, { names, namespace }: Scope): Node => {
  const node = (name.includes(".") ? undefined : names.get(`${namespace}.${name}`)) ?? names.get(name);
  if (node === undefined) throw new Error(`the type ${name} is not defined`);
  return node;
};

const fullName = ({ name, namespace }: Attributes, scope: Scope): string => {
  const space = typeof namespace === "string" ? namespace : scope.namespace;
  return String(name).includes(".") || space === "" ? String(name) : `${space}.${name}`;
};

const fieldsOf = ({ fields }: Attributes): readonly { readonly name: string; readonly type: unknown }[] => {
  if (!Array.isArray(fields)) throw new Error("a record has no fields");
  return fields.map((field: unknown) => {
    if (!isAttributes(field)) throw new Error("a field of a record is not an object");
    return { name: String(field.name), type: field.type };
  });
};

const isAttributes = (value: unknown): value is Attributes =>
  typeof value === "object" && value !== null && !Array.isArray(value);
