import type { RetrievedPassage } from '../../../retrieval/retriever.js';
import { FIELD_WEIGHTS, makeField, withWords, type Field } from './field.js';
import type { RowUnit } from './units.js';

/** The unit of one row, from the passages that hold its parts. */
export function rowUnit(parts: RetrievedPassage[]): RowUnit {
  const passage = parts[0]!;
  const { label, group, caption } = passage.row!;
  const cells = parts.flatMap((part) => part.row!.cells.map((cell) => ({ ...cell, passage: part })));
  const own = makeField('label', FIELD_WEIGHTS.label, label);
  return {
    kind: 'row',
    passage,
    label,
    group: group ?? '',
    caption: caption ?? '',
    cells,
    own,
    isGlossary: isGlossary(passage.headingPath),
    isExample: isExample([caption ?? '', group ?? '', ...passage.headingPath]),
    fields: withWords([
      own,
      makeField('group', FIELD_WEIGHTS.group, group ?? ''),
      makeField('heading', FIELD_WEIGHTS.caption, caption ?? ''),
      makeField('heading', FIELD_WEIGHTS.columnHeader, cells.map(({ header }) => header).join('\n')),
      makeField('body', FIELD_WEIGHTS.cells, cells.map(({ text }) => text).join('\n')),
      ...headingFields(passage),
    ]),
  };
}

export const headingFields = ({ headingPath, documentTitle }: RetrievedPassage): Field[] => [
  makeField('heading', FIELD_WEIGHTS.nearestHeading, headingPath.at(-1) ?? ''),
  makeField('heading', FIELD_WEIGHTS.heading, [...headingPath.slice(0, -1), documentTitle].join('\n')),
];

export const isExample = (titles: string[]) =>
  titles.some((title) => /\b(examples?|illustrations?|scenarios?)\b/i.test(title));

export const isGlossary = (titles: string[]) =>
  titles.some((title) => /\b(glossary|definitions?|words (we|you) use|defined terms)\b/i.test(title));
