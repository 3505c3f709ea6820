import { tokenize } from '../../../text/index.js';
import { stemOf } from '../stems.js';
import { isFunctionWord } from './words.js';

/** What kind of thing an answer must state. */
export type AnswerType =
  | 'amount'
  | 'count'
  | 'time'
  | 'age'
  | 'phone'
  | 'address'
  | 'website'
  | 'yes-no'
  | 'condition'
  | 'exclusion'
  | 'reason'
  | 'definition'
  | 'list';

/** What a question expects its answer to state; it can expect several things ("Are glasses covered, how often?"). */
export class Expectations {
  private constructor(
    private readonly types: ReadonlySet<AnswerType>,
    /** "visits" in "how many visits". */
    private readonly counted: ReadonlySet<string>,
  ) {}

  static of(question: string): Expectations {
    const text = question.toLowerCase().replaceAll('’', "'").trim();
    const types = new Set(ASKED.filter(([, pattern]) => pattern.test(text)).map(([type]) => type));
    if (![...types].some((type) => type !== 'condition') && MONEY_WORD.test(text)) types.add('amount');
    if (types.has('definition')) types.delete('amount');
    return new Expectations(types, countedIn(text));
  }

  has(...types: AnswerType[]): boolean {
    return types.some((type) => this.types.has(type));
  }

  /** Types that the text ought to state and does not. */
  missingIn(text: string): AnswerType[] {
    return [...this.types].filter((type) => !this.isStated(type, text));
  }

  /** 0 to 1: share of the given types, among those expected, that the text states; 0 when none of them is expected. */
  statedShare(text: string, among: readonly AnswerType[]): number {
    const expected = among.filter((type) => this.types.has(type));
    return expected.length > 0
      ? expected.filter((type) => this.isStated(type, text)).length / expected.length
      : 0;
  }

  private isStated(type: AnswerType, text: string): boolean {
    return type === 'count' ? statesCount(text, this.counted) : STATED[type].test(text);
  }
}

const ASKED: Array<[AnswerType, RegExp]> = [
  [
    'amount',
    /\bhow (much|big|large|high|expensive|cheap)\b(?! time| notice)|\bwhat (percentage|percent|portion|part) of\b/,
  ],
  [
    'count',
    /\bhow (many|often|frequently)\b|\bnumber of (visits|days|sessions|times)\b|\blimits? on\b|\bhow (large|big|much) (of )?an? (supply|allowance)\b/,
  ],
  [
    'time',
    /\bhow (long|soon|late|quickly|fast|much (time|notice)|many (hours|days|weeks|months|years))\b|^when\b|\bby when\b|\bdeadline|\btime limit|\b(what|which) date|\bwhat time\b|\bhours (of|are)\b|\b(opening|office|business) hours\b/,
  ],
  ['age', /\bhow old\b|\b(what|which) age\b/],
  [
    'phone',
    /\b(phone|telephone|fax|hotline|helpline)\b|\bnumber (do|can|should|to|for)\b|\b(who|where) .*\bcall\b/,
  ],
  [
    'address',
    /\bwhere (do|can|should|must|to)\b.*\b(mail|send|write)\b|\b(mailing|postal) address\b|\bwhat .*\baddress\b/,
  ],
  ['website', /\b(what|which|where|how)\b.*\b(website|web ?site|web page|online|internet|e-?mail address)\b/],
  [
    'yes-no',
    /^(and |so )?(do|does|did|is|are|am|can|could|will|would|should|has|have|may|must)\b|[,:]\s*(do|does|is|are|am|can|will|would) |^(?!.*\b(?:what|how|when|where|who|which|why)\b).*\b(covered|included|allowed|needed|required)\?*$/,
  ],
  [
    'condition',
    /\bwhat (happens|if)\b|\bunless\b|\b(need|require|required|have to get)\b.*\b(approv|authori|referr|permission|certif)|\bunder what\b/,
  ],
  [
    'exclusion',
    /\bexclu|\bnot (be )?(covered|included|paid)|n't (be )?(cover|covered|include|included|count)|\b(not|never) count\b/,
  ],
  [
    'definition',
    /\bwhat does .* mean\b|\bmeaning of\b|\bdefin(e|ition)\b|^what(?: is| are|'s) (?:an? )?(?!the\b|my\b|our\b|your\b|this\b|included|covered|not\b|excluded)(?:[\w-]+ ?){1,3}\??$/,
  ],
  ['reason', /^why\b|\bfor what reason\b|\bhow come\b/],
  [
    'list',
    /^which \w+s\b|^what (kinds?|types?|sorts?|costs|charges|services|things|expenses|payments|treatments|drugs|documents)\b/,
  ],
];

const MONEY_WORD =
  /\b(cost|costs|price|prices|pay|paying|charge|charged|fees?|owe|share of the|copays?|co-pays?|copayments?|coinsurance|deductibles?|premiums?|out.of.pocket|maximum|max)\b/;

const NUMBER =
  '(\\d+|one|two|three|four|five|six|seven|eight|nine|ten|twelve|fifteen|twenty|thirty|sixty|ninety)';

const STATED: Record<Exclude<AnswerType, 'count'>, RegExp> = {
  amount:
    /[$€£]\s?\d|\d\s?%|\bpercent\b|\bno (charge|cost|copay)|\bfree\b|\bnot (covered|available)\b|\bin full\b|\bnothing\b/i,
  time: new RegExp(
    `\\b${NUMBER}[ -](\\(\\d+\\) )?(business |calendar |working |full )?(minute|hour|day|week|month|year)` +
      '|\\b\\d{1,2}\\/\\d{1,2}\\/\\d{2,4}\\b|\\b\\d{1,2}(:\\d\\d)? ?[ap]\\.?m\\b' +
      '|\\b(january|february|march|april|may|june|july|august|september|october|november|december) \\d' +
      '|\\b(immediately|at any (time|hour)|until|(first|last) day of|end of the|same day)\\b',
    'i',
  ),
  age: /\bage[sd]?\b[^.]{0,20}\d|\b(under|over|turns?) \d|\d years (old|of age)/i,
  phone: /\d{3}[-. )]{1,2}\d{3}[-. ]{1,2}\d{4}|\b1[- ]8\d\d\b|\b(call|dial) \d{3}\b/i,
  address:
    /\bP\.? ?O\.? Box\b|\b[A-Z]{2} \d{5}\b|\b\d+ [A-Z]\w+ (street|road|avenue|boulevard|lane|drive)\b/i,
  website: /\bwww\.|https?:|[\w.]+@[\w.]+|\b[\w-]+\.(com|gov|org|net)\b/i,
  'yes-no':
    /\b(yes|no|not|is|are|must|may|can|will|covers?|covered|required|includes?|excludes?|waived|once|visits?|days?)\b|[$€£%]/i,
  condition:
    /\b(if|unless|must|require[sd]?|only|when|before|except|subject to|provided that|preauthori[sz]ation)\b/i,
  exclusion: /\b(not|no|exclude[sd]?|exclusions?|except|doesn['’]t|don['’]t|isn['’]t|never)\b/i,
  definition:
    /\b(means?|refers? to|(is|are) (an?|the|when|what|called|defined)|called (an?|the)|defined as)\b|\([a-z][a-z -]+\)|^\p{Lu}[\w -]{2,40}[.:] /iu,
  reason: /\b(because|since|due to|reasons?|as a result|therefore)\b/i,
  list: /:\s*$|,.*(,| and | or )/s,
};

/** How care is counted; documents and members use these words for one another. */
const COUNTED_CARE = 'visits sessions times days nights exams appointments treatments tests pairs hours'
  .split(' ')
  .map(stemOf);
const COUNTED_CARE_STATED = [
  ...COUNTED_CARE,
  ...'year month week once twice limit one attempts procedure supply'.split(' ').map(stemOf),
];

/** Stems of the things that "how many …" counts, with what may stand for them; empty when nothing is counted. */
function countedIn(question: string): ReadonlySet<string> {
  const words = /\bhow many ((?:[\w'-]+ ?){1,4})/.exec(question)?.[1];
  if (!words) return new Set();
  const named = tokenize(words)
    .filter(({ text }) => !isFunctionWord(text))
    .map(({ text }) => stemOf(text));
  return new Set(
    named.some((stem) => COUNTED_CARE.includes(stem)) ? [...named, ...COUNTED_CARE_STATED] : named,
  );
}

const COUNT_WORDS = new RegExp(`^${NUMBER}$|^(once|twice|unlimited|no)$`);
/** A number this many words before what it counts, or one behind it, belongs to it. */
const COUNT_REACH = 4;

/** Whether a text counts something; where `counted` is known, that. Amounts, shares and telephone numbers count nothing. */
function statesCount(text: string, counted: ReadonlySet<string>): boolean {
  const words = tokenize(text.replace(/[$€£]\s?[\d,.]+|[\d.]+\s?%|\d{3}-\d{3}-\d{4}/g, ' ')).map(
    (token) => token.text,
  );
  const numbers = words.flatMap((word, at) => (COUNT_WORDS.test(word) ? [at] : []));
  if (counted.size === 0) return numbers.length > 0;
  return words.some(
    (word, at) =>
      counted.has(stemOf(word)) && numbers.some((number) => number <= at + 1 && number >= at - COUNT_REACH),
  );
}
