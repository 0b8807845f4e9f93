/** Where two values of JSON differ, place by place. Pure. */
import { isDeepStrictEqual } from "node:util";
import { isObject } from "./given.ts";

export interface Difference {
  /** `fields.custom_fields.credit_limit`. */
  readonly path: string;
  /** Absent: there should be nothing. */
  readonly expected?: unknown;
  /** Absent: there is nothing. */
  readonly actual?: unknown;
}

/** Objects are compared member by member, everything else, lists included, as a whole. Empty: they are equal. */
export const differences = (expected: unknown, actual: unknown, path = ""): readonly Difference[] => {
  if (isObject(expected) && isObject(actual))
    return [...new Set([...Object.keys(expected), ...Object.keys(actual)])].flatMap((name) =>
      differences(expected[name], actual[name], path === "" ? name : `${path}.${name}`),
    );
  if (isDeepStrictEqual(expected, actual)) return [];
  return [{ path, ...(expected === undefined ? {} : { expected }), ...(actual === undefined ? {} : { actual }) }];
};
