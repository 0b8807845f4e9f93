/** Kafka Connect's schema in JSON, as JsonConverter writes it beside each payload (`schemas.enable=true`), to a plan. */
import { bytes, type Column, listColumn, mapColumn, semanticColumn } from "./column.ts";
import { NO_PLAN, nestedColumn, type StructPlan } from "./plan.ts";
import { isStruct, type Raw, type RawStruct, unmark } from "./raw.ts";

/** A schema that is no struct has an empty plan; parts that make no sense are plain. Depth: that of the JSON text. */
export const compileConnectSchema = (schema: Raw): StructPlan => {
  if (!isStruct(schema) || schema.type !== "struct" || !Array.isArray(schema.fields)) return NO_PLAN;
  const columns = new Map<string, Column>();
  const structs = new Map<string, StructPlan>();
  for (const field of schema.fields) {
    if (!isStruct(field) || typeof field.field !== "string") continue;
    const name = unmark(field.field);
    const struct = field.type === "struct" ? compileConnectSchema(field) : undefined;
    if (struct !== undefined) structs.set(name, struct);
    const column = semanticOf(field) ?? (struct === undefined ? columnOf(field) : nestedColumn(struct));
    if (column !== undefined) columns.set(name, column);
  }
  return { columns, structs };
};

/** Undefined: plain. */
const columnOf = (schema: Raw | undefined): Column | undefined => {
  if (!isStruct(schema)) return undefined;
  const semantic = semanticOf(schema);
  if (semantic !== undefined) return semantic;
  switch (schema.type) {
    case "bytes":
      return bytes;
    case "struct":
      return nestedColumn(compileConnectSchema(schema));
    case "array":
      return listColumn(columnOf(schema.items));
    case "map":
      return mapColumn(columnOf(schema.values));
    default:
      return undefined;
  }
};

const semanticOf = ({ name, parameters }: RawStruct): Column | undefined =>
  typeof name === "string" ? semanticColumn(name, isStruct(parameters) ? parameters : {}) : undefined;
