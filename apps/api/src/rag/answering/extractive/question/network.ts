/** A side of a plan's provider network. */
export type NetworkSide = 'in' | 'out';

/** Which side a column header or a clause of a plan is about; null when neither or unclear. */
export function networkOf(text: string): NetworkSide | null {
  if (STATES_OUT.test(text)) return 'out';
  return STATES_IN.test(text) ? 'in' : null;
}

const STATES_OUT = /\b(out[- ]of[- ]network|non[- ]?(network|participating|preferred))/i;
const STATES_IN =
  /\b(in[- ]network|network|participating|preferred) (provider|pharmac|benefit|doctor|hospital)|\bin[- ]network\b/i;

/** Which side a question asks for, and the question without the words that only name the column of the other side. */
export function askedNetwork(question: string): { network: NetworkSide | null; rest: string } {
  const withoutOut = question.replace(ASKS_OUT, ' ');
  if (withoutOut !== question) return { network: 'out', rest: withoutOut };
  // A question about the network itself ("Do I pay less in the network?") keeps its words.
  return { network: ASKS_IN.test(question) ? 'in' : null, rest: question };
}

const THE = "(?:the |my |our |your |plan['’]?s? )*";
const ASKS_OUT = new RegExp(
  `(?:\\b(?:out[- ]of|outside(?: of)?|not (?:in|within|part of)|off)|n['’]?t (?:in|within|part of))[- ]${THE}network\\b` +
    '|\\bnon[- ]?(?:network|participating|preferred provider)\\b',
  'gi',
);
const ASKS_IN = new RegExp(
  `\\b(?:in|inside|within|with|part of)[- ]${THE}network\\b|\\bnetwork (?:provider|doctor|doc|hospital|pharmacy|specialist)s?\\b|\\bparticipating\\b`,
  'i',
);
