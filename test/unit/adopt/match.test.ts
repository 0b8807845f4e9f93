/** What is compared: fields as the route maps them, or as somebody names them, as text that two sides may write differently. */
import { describe, expect, test } from "vitest";
import { matchOf, textOfMutation } from "../../../src/adopt/match.ts";
import type { ColumnValue } from "../../../src/domain/change.ts";
import { anUpdateTo, mutationOf, routesOf } from "../map/builders.ts";

const FIELDS = { name: "name", email: { from: "mail", transform: "trim", write: "onCreate" } };

const aMatch = (text: string, route: object = {}) => {
  const [whole] = routesOf({ fields: FIELDS, ...route });
  if (whole === undefined) throw new Error("no route");
  return matchOf(text, whole, "erp_id");
};

/** As the ERP has it. */
const inRow = (text: string, row: Record<string, ColumnValue>, route: object = {}): string | null => {
  const match = aMatch(text, route);
  return textOfMutation(match, mutationOf({ ...match.route }, anUpdateTo(row)));
};

const inSell = (text: string, fields: object, route: object = {}): string | null =>
  aMatch(text, route).textIn({ ...fields });

describe("both sides come to the same text", () => {
  test("for e-mail addresses in any case", () => {
    expect(inRow("email", { mail: " Info@Nord.example " })).toBe("info@nord.example");
    expect(inSell("email", { email: "INFO@nord.example" })).toBe("info@nord.example");
  });

  test("for names with blanks around them and composed letters, but not in another case", () => {
    expect(inRow("name", { name: " Mu\u0308ller " })).toBe("M\u00fcller");
    expect(inSell("name", { name: "M\u00fcller" })).toBe("M\u00fcller");
    expect(inSell("name", { name: "M\u00dcLLER" })).not.toBe("M\u00fcller");
  });

  test("for the names of persons and leads, which stand in parts", () => {
    const fields = { first_name: "first", last_name: "last", organization_name: "firm" };
    const route = { entity: "leads", fields };
    expect(inRow("name", { first: "Ida", last: "Berg", firm: "Nord" }, route)).toBe("Ida Berg");
    expect(inSell("name", { first_name: "Ida", last_name: "Berg", organization_name: "Nord" }, route)).toBe("Ida Berg");
    expect(inRow("name", { first: null, last: null, firm: "Nord" }, route)).toBe("Nord");
    expect(inSell("name", { name: "Ida Berg", last_name: "Berg" }, route)).toBe("Ida Berg");
  });

  test("for numbers, and for members of groups", () => {
    expect(inRow("custom_fields.number=no", { no: 17 })).toBe("17");
    expect(inSell("custom_fields.number=no", { custom_fields: { number: "17" } })).toBe("17");
    expect(inRow("address.city=city", { city: "Köln" })).toBe("Köln");
    expect(inSell("address.city=city", { address: { city: "Köln" } })).toBe("Köln");
  });
});

test.each([{ email: null }, { email: "  " }, {}, { email: ["a"] }])("%j is nothing to compare", (fields) => {
  expect(inSell("email", fields)).toBeNull();
});

test.each([
  ["phone", "The route does not map phone"],
  ["emial=mail", "--match emial=mail: emial is no field of accounts; did you mean email?"],
  ["custom_fields.erp_id=id", "holds the ERP key"],
  ["customer_status", "customer_status cannot be compared"],
])("%s is refused", (text, sentence) => {
  expect(() => aMatch(text, { fields: { ...FIELDS, customer_status: { value: "current" } } })).toThrow(sentence);
});
