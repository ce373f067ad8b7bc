// The vocabulary: words that are never part of a name. Kept as plain lists so that a reader can see at a glance what
// the rule-based brain takes for language and what it takes for a name.

const list = (words: string): readonly string[] => words.trim().split(/\s+/);

/** Verbs a task may start with. A clause that starts with one of them is a step of its own. */
const COMMANDS: readonly string[] = list(`
  find search look lookup locate get fetch show give display pull open
  summarise summarize describe brief explain review check inspect examine verify
  compare contrast
  add leave put write attach append jot note record log annotate
  refund reimburse return repay credit reverse
  delete remove erase purge wipe terminate close deactivate cancel
  merge combine consolidate unify dedupe deduplicate fold join
  email e-mail mail send message notify inform tell let reply respond write drop
  handle process resolve deal take work action sort execute fulfil fulfill do
  list count read quote remember keep change update edit create make set
`);

/** Function words and words of the domain: not names, whatever their case. */
const COMMON: readonly string[] = list(`
  a an the this that these those it its them they their theirs he him his she her hers we us our ours you your i me my
  and or but nor so if then than as at by for from in into of off on onto out over to up with within without about between
  is are was were be been being am has have had do does did done doing can could would should shall will may might must
  not no never don't doesn't didn't isn't aren't yes yep yeah ok okay sure
  who whom whose which what when where why how there here any some all every each both either neither one two three
  please kindly thanks thank hi hello hey dear now just also too again still only same other another first second third
  last next finally afterwards after before once already today tomorrow yesterday more less much many most few several
  asks ask asked asking wants want wanted wanting needs need needed requests request requested says say said saying states
  like likes liked know known knows tell told called named gone going go came come see seen got gets let's lets
  customer customers client clients company companies account accounts record records entry entries profile profiles
  order orders ticket tickets charge charges charged payment payments refund refunds refunded invoice invoices case cases
  note notes email emails e-mail e-mails mail message messages subject body text address phone number numbers id ids city
  duplicate duplicates duplicated double doubled twice extra second identical
  open closed pending new old current active inactive status details detail info information data facts history overview
  summary difference differences similarity side versus vs against regarding concerning re details back money amount full
  deleted deleting deletion removed removing erased erasing merged merging emailed sent sending added adding noted
  closing handled handling processed processing processes resolved compared comparing comparison found finding
  search searching reading quoting lists listing counting summarising summarizing checked checking approved auditor
  everything anything something nothing thing things stuff happened happen happening want wish right way
  cancelled canceled delivered returned hold paid unpaid overdue late recent latest
  unless if provided assuming undo appreciate perhaps maybe
  fully entirely completely whole entire half part partial partially rid dup dupe file line word shipped ship moved pls issue issued
  initiate arrange grant offer perform start trigger actually really
  mention mentions mentioned confirm confirms confirmation refer refers hold holds own owns owner behalf exactly immediately
  belongs belonging belong related regards regard reason because since until while during per via using use
  database system team someone somebody anyone person people business user users shop
  complaint complaints question questions requests deletes deletion merges merge refunds
  quickly asap immediately urgent urgently carefully correct wrong true false good fine great
  live lives living located based there's that's what's who's it's i'd we'd i'll we'll i'm we're they're
`);

const STOP = new Set([...COMMANDS, ...COMMON]);

/** Whether the word is language, not part of a name. */
export const isCommonWord = (word: string): boolean =>
  STOP.has(word.toLowerCase().replace(/’/g, "'").replace(/'s$/, ""));

/** Alternation of all command verbs, for use inside a pattern. */
export const COMMAND_PATTERN: string = [...new Set(COMMANDS)].sort((a, b) => b.length - a.length).join("|");
