import fc from "fast-check";
import { expect, test } from "vitest";
import { Table } from "../../../src/sandbox/table.ts";

const LAG_MS = 100;

type Step =
  | { readonly do: "write" | "remove"; readonly id: number; readonly key: string }
  | { readonly do: "wait"; readonly ms: number };

const steps = fc.array(
  fc.oneof(
    fc.record({
      do: fc.constantFrom("write" as const, "remove" as const),
      id: fc.integer({ min: 1, max: 5 }),
      key: fc.constantFrom("a", "b", "c"),
    }),
    fc.record({ do: fc.constant("wait" as const), ms: fc.constantFrom(1, 50, 99, 100, 101) }),
  ),
  { maxLength: 60 },
);

/** By rereading the whole history: the newest write of each living record that is at least the lag old. */
const expected = (
  history: readonly { id: number; key: string; atMs: number }[],
  key: string,
  nowMs: number,
): number[] => {
  const seen = new Map<number, string>();
  for (const write of history) if (write.atMs + LAG_MS <= nowMs) seen.set(write.id, write.key);
  return [...seen]
    .filter(([, newest]) => newest === key)
    .map(([id]) => id)
    .sort((a, b) => a - b);
};

test.each([true, false])("filters see each record as it was one lag ago (index: %s)", (indexed) => {
  fc.assert(
    fc.property(steps, (script: readonly Step[]) => {
      const table = new Table(() => indexed);
      let history: { id: number; key: string; atMs: number }[] = [];
      let nowMs = 0;
      for (const step of script) {
        if (step.do === "wait") nowMs += step.ms;
        else if (step.do === "write") {
          const row = table.get(step.id);
          const record = { custom_fields: { erp_id: step.key } };
          if (row === undefined) table.insert(step.id, record, nowMs, nowMs + LAG_MS);
          else table.replace(row, record, nowMs, nowMs + LAG_MS);
          history.push({ id: step.id, key: step.key, atMs: nowMs });
        } else {
          const row = table.get(step.id);
          if (row !== undefined) table.remove(row);
          history = history.filter(({ id }) => id !== step.id);
        }
        for (const key of ["a", "b", "c"]) {
          const found = table.find([{ path: "custom_fields.erp_id", value: key }], nowMs).map(({ id }) => id);
          expect(found.sort((a, b) => a - b)).toEqual(expected(history, key, nowMs));
        }
      }
    }),
  );
});
