/** Reads a record by a path of at most two names. */
import type { Json, JsonObject } from "./reply.ts";

/** `name`, or `custom_fields.Customer No. 1`: only the first dot separates. Undefined when there is nothing. */
export const valueAt = (record: JsonObject, path: string): Json | undefined => {
  const dot = path.indexOf(".");
  if (dot === -1) return own(record, path);
  const outer = own(record, path.slice(0, dot));
  return isObject(outer) ? own(outer, path.slice(dot + 1)) : undefined;
};

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Undefined also for what every object inherits. */
export const own = (object: JsonObject, name: string): Json | undefined =>
  Object.hasOwn(object, name) ? object[name] : undefined;
