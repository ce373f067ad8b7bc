// Three hundred customers: companies and people, with names that are easy to mistake for one another.

import type { SeededRandom } from "./random.js";
import { CITIES, COMPANY_FIRST, COMPANY_TRADE, FIRST_NAMES, LAST_NAMES, NOTES, STAFF } from "./words.js";

/** A row of `customers`. */
export type CustomerRow = {
  readonly customer_id: string;
  readonly name: string;
  readonly city: string;
  readonly email: string;
  readonly phone: string;
  readonly status: string;
  readonly since: string;
};

/** A row of `notes`. */
export type NoteRow = {
  readonly customer_id: string;
  readonly at: string;
  readonly author: string;
  readonly text: string;
  readonly integrity: 2;
  readonly fidelity: 3;
  readonly currency: 3;
  readonly certainty: 3;
};

const COUNT = 300;

/** `customerId(107)` is `C-0107`. */
export const customerId = (number: number): string => `C-${String(number).padStart(4, "0")}`;

type Given = {
  readonly name: string;
  readonly city: string;
  readonly person?: boolean;
  readonly email?: string;
  readonly phone?: string;
};

/** Customers that tickets, tests and the documentation name, and the look-alikes beside them. */
const GIVEN: Readonly<Record<number, Given>> = {
  21: { name: "Harbor Bakers Ltd", city: "Halifax" },
  33: {
    name: "Quill & Ledger Books",
    city: "Leeds",
    email: "orders@quillandledger.example",
    phone: "+44 113 496 0133",
  },
  41: { name: "Harbour Bakery", city: "Liverpool" },
  58: { person: true, name: "Maria Santos", city: "Boston" },
  67: { name: "Lumen Optical", city: "Chicago" },
  72: { name: "Copper Kettle Tea Rooms", city: "Edinburgh" },
  88: { name: "Copper Kettle Tearoom", city: "Sheffield" },
  90: { name: "Northgate Cycles", city: "Leeds" },
  103: { person: true, name: "Mario Santos", city: "Austin" },
  107: { name: "Harbor Bakery", city: "Portland", email: "hello@harborbakery.example" },
  119: {
    person: true,
    name: "Priya Raman",
    city: "Toronto",
    email: "priya@ramanprints.example",
    phone: "+1 416 555 0119",
  },
  131: { person: true, name: "Maria Santos", city: "London" },
  154: { name: "Lumen Optics", city: "Glasgow", email: "accounts@lumenoptics.example" },
  176: { person: true, name: "María Santos", city: "Austin" },
  189: { name: "Northgate Cycles", city: "Toronto" },
  205: { person: true, name: "Maria Santos", city: "Toronto" },
  212: { name: "Harbor Bakery", city: "Bristol", email: "office@harbor-bakery.example" },
  233: {
    name: "Quill and Ledger Books",
    city: "Leeds",
    email: "accounts@quillandledger.example",
    phone: "+44 113 496 0133",
  },
  247: { person: true, name: "Maria dos Santos", city: "Boston" },
  261: { person: true, name: "Olivia Brown", city: "Denver" },
  262: { person: true, name: "Olivia Browne", city: "Denver" },
  271: {
    person: true,
    name: "Priya Ramen",
    city: "Toronto",
    email: "hello@ramanprints.example",
    phone: "+1 416 555 0119",
  },
};

/** Draws the customers. No two share a name, an e-mail address or a telephone number, but for those given above. */
export function seedCustomers(random: SeededRandom): readonly CustomerRow[] {
  const given = Object.values(GIVEN);
  const taken = new Set(given.flatMap(({ name, email, phone }) => [name, email, phone]));
  const claim = (make: () => string): string => {
    const made = random.fresh(make, (each) => !taken.has(each));
    taken.add(made);
    return made;
  };
  return Array.from({ length: COUNT }, (_, index) => {
    const fixed = GIVEN[index + 1];
    const drawnPerson = random.chance(0.35);
    const isPerson = fixed === undefined ? drawnPerson : fixed.person === true;
    const name = fixed?.name ?? claim(() => (isPerson ? personName(random) : companyName(random)));
    const [city, prefix] = CITIES.find(([each]) => each === fixed?.city) ?? random.pick(CITIES);
    return {
      customer_id: customerId(index + 1),
      name,
      city,
      email: fixed?.email ?? claim(() => emailOf(name, isPerson, random)),
      phone: fixed?.phone ?? claim(() => phoneOf(prefix, random)),
      status: fixed === undefined ? random.pick(STATUSES) : "active",
      since: joined(index, random),
    };
  });
}

const STATUSES = [...Array<string>(17).fill("active"), "on_hold", "on_hold", "closed"];

const companyName = (random: SeededRandom): string => `${random.pick(COMPANY_FIRST)} ${random.pick(COMPANY_TRADE)}`;

const personName = (random: SeededRandom): string => `${random.pick(FIRST_NAMES)} ${random.pick(LAST_NAMES)}`;

const plain = (text: string): string =>
  text
    .normalize("NFD")
    .replace(/[\p{M}']/gu, "")
    .replace(/ø/gu, "o")
    .toLowerCase();

function emailOf(name: string, isPerson: boolean, random: SeededRandom): string {
  const words = plain(name).match(/[a-z]+/gu) ?? [];
  return isPerson
    ? `${words.join(".")}${random.between(1, 99)}@${random.pick(["post", "inbox", "letters"])}.example`
    : `${random.pick(["hello", "office", "shop", "orders", "info"])}@${words.join(random.pick(["", "-"]))}.example`;
}

function phoneOf(prefix: string, random: SeededRandom): string {
  const digits = prefix.startsWith("+1 ") ? 2 : 3;
  return prefix + String(random.between(0, 10 ** digits - 1)).padStart(digits, "0");
}

const DAY_MS = 86_400_000;

/** Customer numbers were handed out over six years, so a higher number joined later. */
function joined(index: number, random: SeededRandom): string {
  const day = Math.floor((index * 6 * 365) / COUNT) + random.between(0, 6);
  return new Date(Date.UTC(2019, 1, 1) + day * DAY_MS).toISOString().slice(0, 10);
}

/** Draws what the help desk noted on them: nothing on most, one to three remarks on others and on those given above. */
export function seedNotes(customers: readonly CustomerRow[], random: SeededRandom): readonly NoteRow[] {
  return customers.flatMap(({ customer_id }, index) =>
    Array.from({ length: random.chance(GIVEN[index + 1] === undefined ? 0.4 : 1) ? random.between(1, 3) : 0 }, () => ({
      customer_id,
      at: new Date(Date.UTC(2025, 5, 2 + random.between(0, 380), 9, random.between(0, 8 * 60))).toISOString(),
      author: random.pick(STAFF),
      text: random.pick(NOTES),
      integrity: 2,
      fidelity: 3,
      currency: 3,
      certainty: 3,
    })),
  );
}
