import type { Block, TableRow } from '../../apps/api/src/ingestion/parsing/extracted-document.js';

/** The same documents in every run: a linear congruential generator, as in Numerical Recipes. */
export function randomFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const VOCABULARY =
  'plan pays $1,500.00 copay (e.g., visits) U.S. 20% 保険 in-network; Limits: — | > No. 5, deductible'.split(
    ' ',
  );

/** Headings, paragraphs, items and tables of all lengths. @param most blocks */
export function randomDocument(seed: number, most = 12): Block[] {
  const random = randomFrom(seed);
  const text = (most: number) => {
    const made = Array.from({ length: 1 + random(most) }, () => VOCABULARY[random(VOCABULARY.length)]!);
    return made.map((word) => (random(12) === 0 ? `${word}.` : word)).join(' ');
  };
  const cell = () => ({
    header: random(4) ? text(random(8) ? 6 : 60) : '',
    text: text(random(5) ? 12 : 260),
    box: null,
  });
  const tableRow = (): TableRow => ({
    ...{ page: null, box: null, group: random(2) ? text(random(8) ? 8 : 50) : null },
    label: random(5) ? text(random(8) ? 8 : 50) : '',
    cells: Array.from({ length: random(5) }, cell),
  });
  const block = (): Block => {
    const kind = (['heading', 'paragraph', 'paragraph', 'list-item', 'table'] as const)[random(5)]!;
    if (kind === 'table')
      return {
        kind,
        caption: null,
        rows: Array.from({ length: 1 + random(4) }, tableRow),
        page: null,
        box: null,
      };
    return {
      kind,
      text: text(random(4) ? 30 : 300),
      page: null,
      box: null,
      ...(kind === 'heading' ? { level: 1 + random(3) } : {}),
    };
  };
  return Array.from({ length: 1 + random(most) }, block);
}
