/** New rows and new values for rows, as an ERP might hold them. */
import type { Dice } from "./dice.ts";
import { type Contact, type Customer, ORDER_STATUSES, type Order } from "./tables.ts";

type New<R> = Omit<R, "revision" | "touched_at">;

export const newCustomer = (dice: Dice, id: number): New<Customer> => ({
  id,
  company_name: `${dice.oneOf(PLACES)}${dice.oneOf(TRADES)} ${dice.oneOf(["GmbH", "AG", "KG", "SE"])}`,
  email: id % 9 === 0 ? null : `Office@${id}.Example.com`,
  city: dice.oneOf(CITIES),
  credit_limit: dice.below(5_000_000),
});

export const newContact = (dice: Dice, id: number, customers: number): New<Contact> => ({
  id,
  customer_id: 1 + dice.below(customers),
  first_name: dice.oneOf(FIRST_NAMES),
  last_name: dice.oneOf(LAST_NAMES),
  email: `Person.${id}@Example.com`,
});

export const newOrder = (dice: Dice, number: number, contacts: number): New<Order> => ({
  order_no: `SO-${number}`,
  contact_id: 1 + dice.below(contacts),
  total: dice.below(9_000_000),
  currency: dice.oneOf(["EUR", "EUR", "CHF", "USD"]),
  status: "open",
  deliver_on: `2026-${twoDigits(1 + dice.below(12))}-${twoDigits(1 + dice.below(28))}`,
});

// Each edit alters the row: amounts only grow, and addresses carry the revision.

export const editedCustomer = (dice: Dice, { credit_limit }: Customer): Partial<Customer> => ({
  credit_limit: credit_limit + 1 + dice.below(100_000),
  city: dice.oneOf(CITIES),
});

export const editedContact = (dice: Dice, { id, revision }: Contact): Partial<Contact> => ({
  last_name: dice.oneOf(LAST_NAMES),
  email: `Person.${id}.${revision + 1}@Example.com`,
});

export const editedOrder = (dice: Dice, { total }: Order): Partial<Order> => ({
  total: total + 1 + dice.below(10_000),
  status: dice.oneOf(ORDER_STATUSES),
});

const twoDigits = (number: number): string => String(number).padStart(2, "0");

const PLACES = ["Nordlicht", "Südwind", "Elbe", "Alpen", "Küsten", "Grünwald", "Straßen", "Åland", "Łódź", "Señor"];
const TRADES = [" Logistik", " Maschinenbau", " Getränke", " Optik", " Werkzeuge", " Möbel", " & Söhne", " Textil"];
const CITIES = ["Hamburg", "München", "Zürich", "Wien", "København", "Kraków", "Málaga"];
const FIRST_NAMES = ["Anna", "Björn", "Chloé", "Dženan", "Eva", "Jürgen", "Zoë"];
const LAST_NAMES = ["Müller", "O'Neill", "García", "Nowak", "Çelik", "Weiß", "Sørensen", "Lindqvist"];
