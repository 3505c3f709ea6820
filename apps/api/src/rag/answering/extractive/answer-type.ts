/**
 * What kind of thing an answer must state. A question can ask for several ("Are glasses covered, and how often?").
 */
export type AnswerType =
  'amount' | 'count' | 'time' | 'contact' | 'person' | 'yes-no' | 'condition' | 'exclusion' | 'definition';

/** The types that a question asks for, by its wording; empty for an open question. */
export function askedTypes(question: string): Set<AnswerType> {
  const text = question.toLowerCase().replaceAll('’', "'").trim();
  const types = new Set(ASKED.filter(([, pattern]) => pattern.test(text)).map(([type]) => type));
  const asksWhetherAnything =
    types.has('yes-no') || types.has('contact') || types.has('time') || types.has('count');
  if (!asksWhetherAnything && MONEY_WORD.test(text)) types.add('amount');
  if (types.has('definition')) types.delete('amount');
  return types;
}

/** Whether a text states something of the type. */
export const states = (type: AnswerType, text: string): boolean => STATED[type].test(text);

const ASKED: Array<[AnswerType, RegExp]> = [
  ['amount', /\bhow (much|big|large|high|expensive|cheap)\b|\bwhat (percentage|percent|portion|part) of\b/],
  [
    'count',
    /\bhow (many|often|frequently)\b|\bnumber of (visits|days|sessions|times)\b|\blimits? on\b|\bhow (large|big|much) (of )?an? (supply|allowance)\b/,
  ],
  [
    'time',
    /\bhow (long|soon|late|many (hours|days|weeks|months|years))\b|^when\b|\bby when\b|\bdeadline|\b(what|which) (date|age)\b/,
  ],
  [
    'contact',
    /\b(what|which|where|who|how)\b.*\b(phone|telephone|number (do|can|should)|call|contact|e-?mail|website|web page|fax|hotline|mailing address)\b|\bphone number\b/,
  ],
  ['person', /^who\b|\bwhom\b/],
  [
    'yes-no',
    /^(and |so )?(do|does|did|is|are|am|can|could|will|would|should|has|have|may|must)\b|,\s*(do|does|is|are|am|can|will|would) (i|we|it|the|my|they|you)\b|^(?!what|how|when|where|who|which|why).*\b(covered|included|allowed|needed|required)\?*$/,
  ],
  [
    'condition',
    /\bwhat (happens|if)\b|\bunless\b|\b(need|require|required|have to get)\b.*\b(approv|authori|referr|permission|certif)|\bunder what\b/,
  ],
  [
    'exclusion',
    /\bexclu|\bnot (be )?(covered|included|paid)|n't (be )?(cover|covered|include|included|count)|\bnot count\b/,
  ],
  [
    'definition',
    /\bwhat does .* mean\b|\bmeaning of\b|\bdefin(e|ition)\b|^what(?: is| are|'s) (?:an? )?(?!the\b|my\b|our\b|your\b|this\b|included|covered|not\b|excluded)(?:[\w-]+ ?){1,3}\??$/,
  ],
];

const MONEY_WORD =
  /\b(cost|costs|price|prices|pay|paying|charge|charged|fees?|owe|share of the|copays?|co-pays?|copayments?|coinsurance|deductibles?|premiums?|out.of.pocket|maximum|max)\b/;

const STATED: Record<AnswerType, RegExp> = {
  amount:
    /[$€£]\s?\d|\d\s?%|\bpercent\b|\bno (charge|cost|copay)|\bfree\b|\bnot covered\b|\bin full\b|\bnothing\b/i,
  count:
    /\b(\d+|one|two|three|four|five|six|seven|eight|nine|ten|twelve|twenty|thirty|sixty|once|twice|unlimited|no limit)\b/i,
  time: /\b(\d+|one|two|three|four|five|six|seven|ten|twelve|thirty|sixty|ninety)[ -](\(\d+\) )?(business |calendar |working )?(hour|day|week|month|year)|\b\d{1,2}\/\d{1,2}\/\d{2,4}\b|\b(january|february|march|april|may|june|july|august|september|october|november|december) \d|\b(immediately|at any time|until|first day of|end of the)\b/i,
  contact:
    /\d{3}[-. )]{1,2}\d{3}[-. ]{1,2}\d{4}|\b1[- ]8\d\d\b|\bwww\.|https?:|[\w.]+@[\w.]+|\b[\w-]+\.(com|gov|org|net)\b|\b[A-Z]{2} \d{5}\b/i,
  person:
    /\b(you|we|provider|physician|doctor|administrator|employer|department|member|agency|agencies|company|insurer|representative|trustee)s?\b/i,
  'yes-no': /\b(yes|no|not|is|are|must|may|can|will|covers?|covered|required|charge|copay|coinsurance)\b|\d/i,
  condition:
    /\b(if|unless|must|require[sd]?|only|when|before|except|subject to|provided that|preauthori[sz]ation)\b/i,
  exclusion: /\b(not|no|exclude[sd]?|exclusions?|except|doesn['’]t|don['’]t|isn['’]t|never)\b/i,
  definition: /\b(is|are|means?|refers? to|called|defined)\b/i,
};
