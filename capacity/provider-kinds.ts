// What the answer of a provider that refused or failed means, by one table. What is structured decides first: the codes
// and types that providers give their errors. Then a hint when to come back: who says "in 2.5 s" is not out of money,
// whatever page it links to. Prose is last, and only where the status leaves it open.

import type { FailureKind } from "./classify.js";

/** What a provider answered. */
export interface ProviderAnswer {
  /** The HTTP status, or the one that the body names. `undefined`: neither, as in the events of a stream. */
  readonly status: number | undefined;
  /** Everything that names the error, in lower case. */
  readonly codes: readonly string[];
  /** Whether the provider said when to come back. */
  readonly hinted: boolean;
  readonly text: string;
}

/** One kind, and how it is recognised. */
interface Row {
  readonly kind: FailureKind;
  /** A code or type of the body that means it, in lower case and without `_`, `-`, `.` and spaces. */
  readonly codes: readonly string[];
  /** How providers that have no code for it say it. */
  readonly wording?: RegExp;
  /** The statuses that leave the wording to decide. `none`: there is no status. */
  readonly open?: (status: number | "none") => boolean;
  /** The statuses that mean it when nothing else says more. */
  readonly statuses?: readonly number[];
}

const is = (...statuses: readonly (number | "none")[]) => {
  const open = new Set(statuses);
  return (status: number | "none") => open.has(status);
};
const failed = (status: number | "none"): boolean => status === "none" || status >= 500;

/** The first row that fits counts. All expressions run over text that was cut; none can backtrack far. */
const ROWS: readonly Row[] = [
  {
    kind: "context-length",
    codes: [
      ...["contextlengthexceeded", "exceedcontextsizeerror", "contextwindowexceeded", "contextwindowexceedederror"],
      ...["contextlimitexceeded", "contextlengtherror", "modelmaxprompttokensexceeded"],
      ...["tokenslimitreached", "requesttoolarge", "inputtoolong", "prompttoolong", "modelcontextwindowexceeded"],
    ],
    wording: new RegExp(
      [
        "maximum context (?:length|window|size|limit)|context[_ ]length[_ ]exceeded|ContextWindowExceeded",
        "(?:exceed\\w*|longer than|larger than|greater than|over|beyond) (?:the |this |its |model'?s? |maximum |available )*(?:context|model length|prompt length)",
        "context (?:length|window|size) (?:of only|exceeded|exceeds|is full|overflow)|exceed\\w* context (?:window|limit|length|size)",
        "(?:prompt|input|request|conversation|messages?) (?:\\([^()]{0,60}\\) )?(?:is|are|was) too (?:long|large)(?! to parse)",
        "(?:input|prompt) (?:token count|tokens|length)[^.]{0,60}(?:exceed|should be \\[)|exceed\\w* (?:the )?(?:model'?s? )?(?:maximum|max) (?:number of )?(?:input |prompt )?(?:tokens|length)",
        "too many (?:input )?tokens(?!, please wait)|token limit exceeded|exceeded model token limit|maximum prompt length is",
        "exceeds n_ctx|context the overflows|content'?: string too long|`inputs`? (?:tokens \\+|must have less than)",
        "reduce the length of (?:the messages|your)|request (?:body )?too large for",
      ].join("|"),
      "i",
    ),
    open: (status) => status === "none" || ![401, 402, 403, 429].includes(status),
    statuses: [413],
  },
  {
    kind: "quota-exhausted",
    codes: [
      ...["insufficientquota", "billinghardlimitreached", "billingnotactive", "billingerror", "insufficientbalance"],
      ...["insufficientcredits", "insufficientfunds", "insufficientuserquota", "creditsexhausted", "creditexhausted"],
      ...["outofcredits", "creditbalancetoolow", "budgetexceeded", "exceededcurrentquotaerror", "paymentrequired"],
      ...["arrearage", "prepaidbalanceexhausted", "spendlimitreached", "accountoverdue"],
    ],
    wording:
      /insufficient[_ -]?(?:quota|balance|credit|funds)|exceeded your current quota|credit balance|out of credits?|no credits|more credits|billing[_ ]hard[_ ]limit|account is not active|budget has been exceeded/i,
    open: is("none", 400, 403, 429),
    statuses: [402],
  },
  {
    kind: "rate-limit",
    codes: [
      ...[
        "ratelimitexceeded",
        "ratelimiterror",
        "ratelimited",
        "ratelimitreached",
        "ratelimitreachederror",
        "ratelimit",
      ],
      ...["resourceexhausted", "toomanyrequests", "toomanyrequestsexception", "throttlingerror", "throttling", "429"],
      ...["throttlingexception", "throttlingratequota", "throttlingallocationquota", "requests", "tokens"],
      ...["userratelimitexceeded", "servicetiercapacityexceeded", "requestlimitexceeded"],
    ],
    wording:
      /rate[ _-]?limit(?:ed|error| (?:was |has been |is )?(?:exceeded|reached|hit))|too many requests|\bthrottl(?:ed|ing)/i,
    open: (status) => failed(status) || is(400, 403)(status),
    statuses: [429],
  },
  {
    kind: "overload",
    codes: [
      ...["overloadederror", "overloaded", "engineoverloadederror", "engineoverloaded", "serveroverloaded"],
      ...["serviceunavailable", "serviceunavailableerror", "unavailable", "unavailableerror", "capacityexceeded"],
      ...["modeloverloaded", "modelnotready", "insufficientsystemresource"],
    ],
    wording: /overloaded|at capacity|no healthy upstream|temporarily unavailable|loading model/i,
    open: failed,
    statuses: [498, 503, 529],
  },
  {
    kind: "auth",
    codes: [
      ...["invalidapikey", "apikeyinvalid", "authenticationerror", "invalidauthenticationerror", "unauthenticated"],
      ...["unauthorized", "incorrectapikeyprovided", "accountdeactivated"],
    ],
    wording: /(?:api key (?:is )?(?:not valid|invalid|expired)|(?:invalid|incorrect) api key)/i,
    open: is("none", 400, 403),
    statuses: [401],
  },
  {
    kind: "invalid-request",
    codes: [
      ...["contentfilter", "contentpolicyviolation", "responsibleaipolicyviolation", "datainspectionfailed"],
      ...["modelnotfound", "notfounderror", "notfound", "unsupportedparameter", "unsupportedvalue"],
    ],
    wording: /\b(?:moderation|flagged|content[_ ](?:policy|filter))\b/i,
    open: is(403),
  },
  { kind: "auth", codes: ["permissionerror", "permissiondenied", "forbidden", "accessdenied"], statuses: [403] },
  // From here on the names are general ones, which say less than a status. The client's own time-outs, conflicts and "too early": repeated, as OpenAI's client would.
  {
    kind: "server-error",
    codes: [
      "servererror",
      "internalerror",
      "internal",
      "internalservererror",
      "apierror",
      "timeout",
      "deadlineexceeded",
    ],
    statuses: [408, 409, 424, 425, 499],
  },
  {
    kind: "invalid-request",
    codes: ["invalidrequesterror", "badrequesterror", "badrequest", "invalidargument", "unprocessableentity"],
  },
];

/** So many rows at the end have names that count only where there is no status. */
const GENERAL = 2;

/** Sorts the answer of a provider that refused or failed. */
export function kindOfAnswer({ status, codes, hinted, text }: ProviderAnswer): FailureKind {
  const named = new Set(codes.map((code) => code.replace(/[_\-.\s]/g, "")));
  const byStatus = status !== undefined && status >= 400 ? status : "none";
  const found = kindByWords(named, byStatus, hinted, text);
  // The whole quota of a minute is less than this one request: waiting for the next minute changes nothing.
  return found === "rate-limit" && needsMoreThanTheQuota(text) ? "context-length" : found;
}

function kindByWords(named: ReadonlySet<string>, status: number | "none", hinted: boolean, text: string): FailureKind {
  const means = (row: Row): boolean => row.codes.some((code) => named.has(code));
  // What is refused with 429 is too much: of money, of size, or of speed.
  const specific = (status === 429 ? ROWS.slice(0, 3) : ROWS.slice(0, -GENERAL)).find(means);
  if (specific !== undefined) return specific.kind;
  if (hinted && (status === 402 || status === 403 || status === 429)) return "rate-limit";
  // Who refuses a request often quotes it, and what a user wrote must not sort the failure.
  const own = status === 400 || status === 422 ? text.replaceAll(/'[^']{0,2000}'|"[^"]{0,2000}"/g, "…") : text;
  const said = ROWS.find(
    ({ kind, wording, open }) => open?.(status) && wording?.test(kind === "context-length" ? text : own),
  );
  if (said !== undefined) return said.kind;
  if (status === "none") return ROWS.find(means)?.kind ?? "server-error";
  const byStatus = ROWS.find(({ statuses }) => statuses?.includes(status));
  return byStatus?.kind ?? (status >= 500 ? "server-error" : "invalid-request");
}

/** OpenAI, Groq and others: "Request too large …: Limit 30000, Requested 45000". */
function needsMoreThanTheQuota(text: string): boolean {
  const [, limit, requested] = /\blimit:? ?(\d{1,12})\b[^.]{0,60}?\brequested:? ?(\d{1,12})\b/i.exec(text) ?? [];
  if (limit !== undefined && requested !== undefined && Number(requested) > Number(limit)) return Number(limit) > 0;
  return /\brequest (?:body )?(?:is )?too large\b/i.test(text);
}
