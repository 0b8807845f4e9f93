/** Lines of an order: copies of a product with a price of their own. */
import type { Account, WriteResult } from "./account.ts";
import type { Json, JsonObject } from "./reply.ts";
import { isObject } from "./value-at.ts";

/** Adds the product's name, SKU, description and price in the line's currency; `value` is the price after `variation`. */
export const addLineItem = (account: Account, data: JsonObject, orderId: number): WriteResult => {
  const product = account.get("products", Number(data["product_id"]));
  if (product === undefined) return account.create("line_items", data); // reported like any missing reference
  const { name, sku, description, active, prices } = product.record;
  if (active === false) return invalid("/product_id", "the product is not active");
  const price = priceIn(prices, data["currency"]);
  if (price === null) return invalid("/currency", "the product has no price in this currency");
  return account.create("line_items", data, "", (record) => ({
    order_id: orderId,
    name: name ?? null,
    sku: sku ?? null,
    description: description ?? null,
    price,
    value: record["value"] ?? varied(price, String(record["variation"])),
  }));
};

const invalid = (field: string, details: string): WriteResult => ({
  status: "invalid",
  problems: [{ resource: "line_item", field, code: "incorrect_value", details }],
});

const priceIn = (prices: Json | undefined, currency: Json | undefined): string | null => {
  if (!Array.isArray(prices)) return null;
  const price = prices.find((candidate) => isObject(candidate) && candidate["currency"] === currency);
  return price === undefined ? null : String(price["amount"]);
};

/** `price` plus `variation` percent, to the cent, half away from zero; in whole numbers, so that no cent gets lost. */
const varied = (price: string, variation: string): string => {
  const scaled = scale(price, 4) * (scale("100", 4) + scale(variation, 4)); // 10^-10 of the unit
  const step = 10n ** 8n;
  const half = scaled < 0n ? -step / 2n : step / 2n;
  const cents = (scaled + half) / step;
  const digits = String(cents < 0n ? -cents : cents).padStart(3, "0");
  return `${cents < 0n ? "-" : ""}${digits.slice(0, -2)}.${digits.slice(-2)}`;
};

const scale = (decimal: string, places: number): bigint => {
  const [whole = "0", fraction = ""] = decimal.split(".");
  return BigInt(whole + fraction.slice(0, places).padEnd(places, "0"));
};
