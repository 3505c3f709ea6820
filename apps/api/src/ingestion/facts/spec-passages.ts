import type { Passage } from '../../rag/index.js';

/** Passages for specs. */
export function passage(text: string, rest: Partial<Passage> = {}): Passage {
  const ordinal = rest.ordinal ?? 0;
  return {
    id: `passage-${ordinal}`,
    documentId: 'document',
    ordinal,
    kind: 'prose',
    text,
    headingPath: [],
    page: 1,
    box: null,
    row: null,
    startMs: null,
    endMs: null,
    ...rest,
  };
}

/** A row as the passages of tables have it: "Label | Header: cell | Header: cell". */
export function row(label: string, cells: Record<string, string>, group: string | null = null): Passage {
  let text = label;
  const written = Object.entries(cells).map(([header, cell]) => {
    text += ` | ${header}: `;
    const start = text.length;
    text += cell;
    return { header, text: cell, start, end: text.length, box: null };
  });
  return passage(text, {
    kind: 'table-row',
    headingPath: ['Benefits'],
    row: { caption: null, group, label, cells: written },
  });
}

/** The same passages in the order of a document. */
export const inOrder = (passages: readonly Passage[]): Passage[] =>
  passages.map((each, ordinal) => ({ ...each, ordinal, id: `passage-${ordinal}` }));
