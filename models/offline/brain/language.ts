// Finds the slots of a task: ids, amounts, addresses, quoted passages and names. Works on free text in any case and
// never guesses: what is not written is not there.

import { isCommonWord } from "./words.js";

/** What a passage of a task refers to, in order of mention. */
export interface Slots {
  readonly customers: readonly string[];
  readonly tickets: readonly number[];
  readonly orders: readonly number[];
  readonly charges: readonly string[];
  readonly amounts: readonly number[];
  readonly emails: readonly string[];
  /** Names; each is its parts joined by "and", since "A and B" may be one name or two. */
  readonly names: readonly (readonly string[])[];
  /** A place: "in Bristol". */
  readonly city: string | undefined;
}

export const NO_SLOTS: Slots = {
  customers: [],
  tickets: [],
  orders: [],
  charges: [],
  amounts: [],
  emails: [],
  names: [],
  city: undefined,
};

const CUSTOMER = /\bC[-‐–]?(\d{4})\b|\b(?:customer|client|account)\s+(?:number|no\.?|id|#)?\s*#?(\d{1,4})\b/gi;
const CHARGE = /\bCH-(\d+)-(\d+)\b/gi;
const EMAIL = /[\w.+-]+@[\w-]+(?:\.[\w-]+)+/g;
const NUMBERS = String.raw`#?\s*\d{2,9}(?:\s*(?:,|,?\s*(?:and|or|&|vs\.?|versus|with|to))\s*(?:tickets?|orders?)?\s*#?\d{3,9}(?!\d|[.,]\d))*`;
const TICKET = new RegExp(
  String.raw`\b(?:tickets?|cases?|requests?)\s*(?:numbers?|no\.?|nr\.?|ids?)?\s*(${NUMBERS})`,
  "gi",
);
const ORDER = new RegExp(String.raw`\b(?:orders?|invoices?)\s*(?:numbers?|no\.?|nr\.?|ids?)?\s*(${NUMBERS})`, "gi");
const BARE_TICKET = /(?<!\w)#(\d{3,9})\b|\b(?:handle|process|resolve|close)\s+(\d{3,6})\b/gi;
const AMOUNT = String.raw`\d+(?:[.,]\d+)*`;
const MONEY = new RegExp(
  [
    String.raw`(?:[$€£]|\b(?:usd|eur|gbp)\b)\s*(${AMOUNT})`,
    String.raw`(?<![\w.,-])(${AMOUNT})\s*(?:[$€£]|(?:dollars?|euros?|pounds?|bucks|usd|eur|gbp)\b)`,
    String.raw`(?<![\w.,-])(\d+(?:,\d{3})*\.\d{2})(?![\d%]|[.,]\d)`,
    String.raw`\b(?:refund|reimburse|repay|return|credit|back)\s+(?:(?:them|him|her|of|exactly|only|just)\s+)*(${AMOUNT})(?![\w%])`,
    String.raw`^\s*(\d{1,3}(?:[.,]\d{1,2})?)\s*$`,
  ].join("|"),
  "gim",
);

/** 49, 49.50, 49,50 and 1,049.50; anything else is not an amount. */
function amountOf(written: string): number | undefined {
  if (/^\d{1,3}(?:,\d{3})+(?:\.\d{1,2})?$/.test(written)) return Number(written.replaceAll(",", ""));
  return /^\d+(?:[.,]\d{1,2})?$/.test(written) ? Number(written.replace(",", ".")) : undefined;
}

const PLACE = String.raw`\p{Lu}[\p{L}'-]+(?:\s+\p{Lu}[\p{L}'-]+)*`;
const CITY = new RegExp(
  [
    String.raw`\b(?:in|based in|located in|near)\s+(?:the\s+city\s+of\s+)?(${PLACE})`,
    String.raw`(?<=\p{Lu}\p{L}+\s+|\b(?:customers|clients|companies|one)\s+)from\s+(\p{Lu}\p{L}+)\b`,
    String.raw`\bthe\s+(\p{Lu}\p{L}+)\s+(?:one|branch|office|shop|store|account|customer|company)\b`,
    String.raw`\b(?:in|based in)\s+(\p{Ll}{3,})\b`,
  ].join("|"),
  "gu",
);

const unique = <Item>(items: readonly Item[]): Item[] => [...new Set(items)];
const numbersIn = (text: string): number[] => (text.match(/\d+/g) ?? []).map(Number);

/** Takes each match out of the text, so that no other slot reads it again. */
function take(text: string, pattern: RegExp, use: (match: RegExpMatchArray) => void): string {
  for (const match of text.matchAll(pattern)) use(match);
  return text.replace(pattern, " ; ");
}

/** Reads a passage. Quoted names must still be in it. */
export function slotsOf(passage: string): Slots {
  const found = {
    customers: [] as string[],
    tickets: [] as number[],
    orders: [] as number[],
    charges: [] as string[],
    amounts: [] as number[],
    emails: [] as string[],
  };
  let city: string | undefined;
  let text = take(passage, EMAIL, (match) => found.emails.push(match[0].toLowerCase()));
  text = take(text, CHARGE, (match) => found.charges.push(match[0].toUpperCase()));
  text = take(text, CUSTOMER, (match) => found.customers.push(`C-${(match[1] ?? match[2] ?? "").padStart(4, "0")}`));
  text = take(text, TICKET, (match) => found.tickets.push(...numbersIn(match[1] ?? "")));
  text = take(text, ORDER, (match) => found.orders.push(...numbersIn(match[1] ?? "")));
  text = take(text, BARE_TICKET, (match) => found.tickets.push(Number(match[1] ?? match[2])));
  text = take(text, MONEY, (match) => {
    const amount = amountOf(match.slice(1).find((group) => group !== undefined) ?? "");
    if (amount !== undefined && amount > 0) found.amounts.push(amount);
  });
  text = text.replace(CITY, (whole: string, ...groups: unknown[]) => {
    const place = groups.slice(0, 4).find((group) => typeof group === "string") as string | undefined;
    if (place === undefined || isCommonWord(place)) return whole;
    city ??= place;
    return " ; ";
  });
  return {
    customers: unique(found.customers),
    tickets: unique(found.tickets),
    orders: unique(found.orders),
    charges: unique(found.charges),
    amounts: unique(found.amounts),
    emails: unique(found.emails),
    names: namesIn(text),
    city,
  };
}

const QUOTED = /["“”«»]([^"“”«»]{2,80})["“”«»]|(?<=^|[\s(])['‘`]([^'’`]{2,80})['’`](?=$|[\s).,;:!?])/g;
const WORD = /[\p{L}\p{N}][\p{L}\p{N}'’&.-]*|&|[^\s]/gu;

/** Names: quoted ones; else runs of capitalised words; else, in a text without capitals, runs of uncommon words. */
function namesIn(passage: string): readonly (readonly string[])[] {
  const quoted: string[][] = [];
  const text = passage.replace(QUOTED, (_, double: string | undefined, single: string | undefined) => {
    quoted.push([(double ?? single ?? "").trim()]);
    return " ; ";
  });
  // Text without lower-case letters has no capitals to go by, and a verb before "a" or "the" opens with one.
  const shouts = !/\p{Ll}/u.test(text);
  const words =
    text.replace(/^\s*\p{Lu}\p{Ll}+\s+(?=(?:an?|the|all|any|our|their|my|your|this|that)\b)/u, "").match(WORD) ?? [];
  const capitalised = runs(words, (word) => /^\p{Lu}/u.test(word) && !isCommonWord(word));
  if (quoted.length > 0 || (capitalised.length > 0 && !shouts)) return [...quoted, ...capitalised];
  return runs(words, (word) => /^\p{L}{2}/u.test(word) && !isCommonWord(word));
}

/** Joined inside a name without being capitalised: "Bank of Bristol", "Quill & Ledger". */
const LINKS = new Set(["&", "of", "de", "da", "di", "du", "van", "von", "der"]);

function runs(words: readonly string[], isPart: (word: string) => boolean): string[][] {
  const groups: string[][] = [];
  let group: string[] = [];
  let run: string[] = [];
  let links: string[] = [];
  const endRun = (): void => {
    if (run.length > 0) group.push(run.join(" "));
    run = [];
    links = [];
  };
  const endGroup = (): void => {
    endRun();
    if (group.length > 0) groups.push(group);
    group = [];
  };
  for (const raw of words) {
    const word = raw.replace(/['’]s$/, "").replace(/['’.,-]+$/, "");
    const ends = /['’]s$/.test(raw) || (/[.,]$/.test(raw) && !/^(?:Ltd|Inc|Co|Corp|St|Dr|Mr|Mrs|Ms)\.$/.test(raw));
    if (isPart(word)) {
      run.push(...links, word);
      links = [];
      if (ends) endGroup();
    } else if (run.length > 0 && LINKS.has(word)) links.push(word);
    else if (run.length > 0 && word === "and" && links.length === 0) endRun();
    else if (word !== "and" || links.length > 0) endGroup();
  }
  endGroup();
  return groups;
}
