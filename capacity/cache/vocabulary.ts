// The English words that decide whether two questions that look alike ask for the same thing. Embeddings hardly see
// them: "is it paid" and "is it unpaid" are as close as any two paraphrases.

const words = (text: string): readonly string[] => text.trim().split(/\s+/);

/** Opposites: a question with a word of one side is another question than one with a word of the other side. */
const OPPOSITES: readonly (readonly [string, string])[] = [
  [
    "enable enabled enabling activate activated active on",
    "disable disabled disabling deactivate deactivated inactive off",
  ],
  [
    "add added adding include includes included including with",
    "remove removed removing delete deleted deleting exclude excluded excluding without",
  ],
  [
    "start started starting begin begins began open opened opening opens",
    "stop stopped stopping end ends ended ending close closed closing closes finish finished",
  ],
  [
    "increase increased increasing raise raised rise rises rising grow grew gain up upgrade",
    "decrease decreased decreasing reduce reduced lower lowered fall falls fell drop dropped shrink loss down downgrade",
  ],
  [
    "more most maximum max highest high higher largest biggest larger bigger greatest greater over above longest longer",
    "less least fewer fewest minimum min lowest low smallest smaller under below shortest shorter",
  ],
  ["before prior earlier earliest", "after later latest since"],
  ["first oldest", "last newest recent"],
  ["best good better fast fastest faster", "worst bad worse slow slowest slower"],
  ["cheap cheapest cheaper", "expensive dear dearest costliest"],
  ["buy buying bought purchase purchased", "sell selling sold return returned"],
  [
    "accept accepted accepting approve approved allow allowed allows permit permitted grant granted",
    "reject rejected rejecting deny denied refuse refused forbid forbidden block blocked revoke revoked",
  ],
  [
    "send sending sent export exported upload uploaded push",
    "receive received receiving import imported download downloaded pull",
  ],
  [
    "connect connected join joined subscribe subscribed lock locked install installed encrypt login",
    "disconnect disconnected leave left unsubscribe unsubscribed unlock unlocked uninstall uninstalled decrypt logout",
  ],
  ["income revenue profit credit deposit", "expense expenses loss debit withdrawal withdraw"],
  [
    "true correct right valid success succeeded succeed pass passed",
    "false incorrect wrong invalid failure failed fail",
  ],
  ["all every each any always both", "some none never sometimes either"],
  ["public external inbound incoming", "private internal outbound outgoing"],
  ["input horizontal", "output vertical"],
  ["advantages benefits pros strengths", "disadvantages drawbacks cons weaknesses risks"],
  ["he him his", "she her hers"],
  ["hot warm hottest", "cold cool coldest"],
  ["present available online possible complete", "absent missing unavailable offline impossible incomplete"],
  ["ascending", "descending"],
  ["encode compress", "decode decompress"],
  ["left", "right"],
];

/** Words that turn a question round, whatever else is in it. */
const NEGATIONS = words(
  "not no never none nobody nothing neither nor without except unless hardly avoid avoiding lack lacks lacking cannot",
);

/** When: "last week" is not "this week". */
const TIMES = words(
  "today yesterday tomorrow tonight now morning evening night noon midnight day days daily hour hours hourly week weeks weekly weekend month months monthly quarter quarters quarterly year years yearly annual annually minute minutes second seconds last next previous current upcoming past future already still yet monday tuesday wednesday thursday friday saturday sunday january february march april june july august september october november december spring summer autumn winter",
);

/** What is asked for. "What" and "which" are too common to tell questions apart. */
const ASKING = words("who whom whose where when why how");

/** What may, can, must or will be is not what is. */
const MODES: readonly (readonly [string, string])[] = [
  ["must", "must should ought need needs required mandatory necessary"],
  ["can", "can could able possible may might"],
  ["will", "will would going shall"],
  ["did", "did was were had been"],
];

/** Of these, whichever is used says the same. */
const SYNONYMS = [
  "delete remove erase",
  "buy purchase",
  "show list display give",
  "big large",
  "fix repair solve resolve",
  "begin start",
  "error failure",
  "picture image photo",
  "movie film",
  "cost price",
  "customer client",
  "phone telephone",
  "send mail",
  "car automobile",
  "job work",
  "create make",
  "get obtain receive",
  "quick fast",
  "choose select pick",
  "required needed necessary",
  "change modify alter update",
  "ticket case",
  "reset recover restore",
  "city town",
  "doctor physician",
  "meaning definition mean means define",
  "explain describe",
  "find locate",
  "distance far",
  "way method",
  "enable activate",
  "disable deactivate",
];

/** Words that carry no meaning of their own here. */
const EMPTY = words(
  "a an the of in on at by for to into onto and or but if then than that this these those there here it its is are am be being do does doing done have has having i me my mine we us our ours you your yours they them their what which please kindly just really actually currently tell know let want like as about with so also any some exactly quickly s t re ve ll d m hi hello hey thanks thank",
);

const NUMBERS = words(
  "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty",
);
const LARGER: readonly (readonly [string, string])[] = [
  ["thirty", "30"],
  ["forty", "40"],
  ["fifty", "50"],
  ["sixty", "60"],
  ["seventy", "70"],
  ["eighty", "80"],
  ["ninety", "90"],
  ["hundred", "100"],
  ["thousand", "1000"],
  ["million", "1000000"],
  ["billion", "1000000000"],
  ["dozen", "12"],
  ["half", "0.5"],
  ["once", "1x"],
  ["twice", "2x"],
  ["double", "2x"],
  ["single", "1"],
  ["first", "1st"],
  ["third", "3rd"],
  ["fourth", "4th"],
  ["fifth", "5th"],
];

/** Which side of which opposites a word is on: `3+`, `3-`. */
export const SIDES: ReadonlyMap<string, string> = new Map(
  OPPOSITES.flatMap(([left, right], index) => [
    ...words(left).map((word): [string, string] => [word, `${index}+`]),
    ...words(right).map((word): [string, string] => [word, `${index}-`]),
  ]),
);
export const NEGATING: ReadonlySet<string> = new Set(NEGATIONS);
export const TIMING: ReadonlySet<string> = new Set(TIMES);
export const INTERROGATIVE: ReadonlySet<string> = new Set(ASKING);
export const MODE_OF: ReadonlyMap<string, string> = new Map(
  MODES.flatMap(([mode, members]) => words(members).map((word): [string, string] => [word, mode])),
);
export const SAME_AS: ReadonlyMap<string, string> = new Map(
  SYNONYMS.flatMap((group) => words(group).map((word): [string, string] => [word, words(group)[0] ?? word])),
);
export const MEANINGLESS: ReadonlySet<string> = new Set(EMPTY);
export const NUMBER_WORDS: ReadonlyMap<string, string> = new Map([
  ...NUMBERS.map((word, index): [string, string] => [word, String(index)]),
  ...LARGER,
]);
