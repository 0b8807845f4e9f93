/** Only what is certain is matched, whatever the two sides hold. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { Comparison, type Verdict } from "../../../src/adopt/comparison.ts";

interface Company {
  readonly id: number;
  readonly key: string | null;
  readonly text: string | null;
}

/** Records pass in the order given; ids may repeat, as when pages shift. */
const verdicts = (
  texts: Readonly<Record<string, string | null>>,
  companies: readonly Company[],
): readonly Verdict[] => {
  const comparison = new Comparison(new Map(Object.entries(texts)), ({ fields }) => fields["text"] as string | null);
  for (const { id, key, text } of companies) comparison.see({ id, key, fields: { text } });
  return [...comparison.verdicts()];
};

const short = (all: readonly Verdict[]): readonly string[] =>
  all.map((verdict) => `${verdict.key} ${verdict.is} ${"id" in verdict ? verdict.id : verdict.ids.join()}`.trim());

const free = (id: number, text: string | null): Company => ({ id, key: null, text });

test("a record that passes twice is one record", () => {
  expect(short(verdicts({ K: "a" }, [free(1, "a"), free(1, "a")]))).toEqual(["K matched 1"]);
});

test("a key that a record carries is adopted, whatever else has its text; two such records are a doubt", () => {
  const holder = { id: 1, key: "K", text: "moved" };
  expect(short(verdicts({ K: "a" }, [holder, free(2, "a")]))).toEqual(["K adopted 1"]);
  expect(short(verdicts({ K: "a" }, [holder, { ...holder, id: 2 }]))).toEqual(["K ambiguous 1,2"]);
});

test("a record of another key is a conflict; beside a free one of the same text it is a doubt", () => {
  const other = { id: 1, key: "other", text: "a" };
  expect(short(verdicts({ K: "a" }, [other]))).toEqual(["K conflicting 1"]);
  expect(short(verdicts({ K: "a" }, [other, free(2, "a")]))).toEqual(["K ambiguous 1,2"]);
});

test("many records of other keys do not hide the free one behind them", () => {
  const others = Array.from({ length: 9 }, (_, i) => ({ id: i + 1, key: `other ${i}`, text: "a" }));
  expect(verdicts({ K: "a" }, [...others, free(99, "a")])).toMatchObject([{ is: "ambiguous" }]);
});

test("keys that share a text nobody has are new, all of them", () => {
  expect(short(verdicts({ K: "a", L: "a", M: null }, [free(1, null)]))).toEqual(["K new", "L new", "M new"]);
});

const text = fc.constantFrom("a", "b", "c", null);
const sides = fc.record({
  texts: fc.dictionary(fc.constantFrom("K1", "K2", "K3", "K4"), text, { maxKeys: 4 }),
  companies: fc.uniqueArray(
    fc.record({ id: fc.integer({ min: 1, max: 9 }), key: fc.constantFrom(null, null, "K1", "K2", "X"), text }),
    {
      selector: ({ id }) => id,
    },
  ),
});

test("for any two sides: matched are the pairs that are alone with their text, free, and of a key nobody carries", () => {
  fc.assert(
    fc.property(sides, ({ texts, companies }) => {
      const keys = Object.keys(texts);
      const expected = keys.flatMap((key) => {
        const same = companies.filter((company) => company.text !== null && company.text === texts[key]);
        const isAlone = same.length === 1 && keys.filter((other) => texts[other] === texts[key]).length === 1;
        const isCarried = companies.some((company) => company.key === key);
        return isAlone && same[0]?.key === null && !isCarried ? [`${key} matched ${same[0].id}`] : [];
      });
      const all = verdicts(texts, companies);
      expect(short(all.filter(({ is }) => is === "matched"))).toEqual(expected);
      expect(all.map(({ key }) => key)).toEqual(keys);
    }),
  );
});
