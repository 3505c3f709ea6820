import { tokenize } from '../../../text/index.js';
import { stemOf } from '../stems.js';

/** A stretch of words in a unit or over it, with the weight of a word that is found there. */
export interface Field {
  name: 'label' | 'group' | 'body' | 'heading' | 'context';
  weight: number;
  stems: string[];
  positions: Map<string, number[]>;
}

/** A word in a label says more about a unit than one in its body, and that more than one in a heading above. */
export const FIELD_WEIGHTS = {
  label: 1,
  group: 0.8,
  caption: 0.8,
  cells: 0.75,
  columnHeader: 0.6,
  sentence: 0.9,
  lead: 0.75,
  nearestHeading: 0.6,
  heading: 0.35,
  neighbour: 0.4,
};

export function makeField(name: Field['name'], weight: number, text: string): Field {
  const stems = tokenize(text).map((token) => stemOf(token.text));
  const positions = new Map<string, number[]>();
  stems.forEach((stem, at) => {
    const known = positions.get(stem);
    if (known) known.push(at);
    else positions.set(stem, [at]);
  });
  return { name, weight, stems, positions };
}

/** The fields that hold any words. */
export const withWords = (fields: Field[]) => fields.filter(({ stems }) => stems.length > 0);

/** Whether the words stand in the field in their order, close to each other and not negated. */
export function containsPhrase({ positions, stems }: Field, phrase: string[]): boolean {
  const [first, ...rest] = phrase;
  return (positions.get(first!) ?? []).some((start) => {
    if (NEGATIONS.has(stems[start - 1] ?? '')) return false;
    let at: number | undefined = start;
    for (const stem of rest) {
      at = nextPosition(stems, at, stem);
      if (at === undefined) return false;
    }
    return true;
  });
}

/** "Non-preferred brand" is not the preferred brand; "not urgent" is not urgent. */
const NEGATIONS = new Set(['non', 'not', 'without', 'except']);

/** One word may stand between, or the rest of a list: "physical and occupational therapy". */
function nextPosition(stems: string[], at: number, stem: string): number | undefined {
  if (stems[at + 1] === stem) return at + 1;
  if (stems[at + 2] === stem) return at + 2;
  const joins = stems[at + 1] === 'and' || stems[at + 1] === 'or';
  return joins && stems[at + 3] === stem ? at + 3 : undefined;
}
