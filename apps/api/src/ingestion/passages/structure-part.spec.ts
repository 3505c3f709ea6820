import { randomDocument, randomFrom } from '../../../../../test/support/random-document.js';
import { batchOf, type PassageBatch, PASSAGES_PER_BLOCK } from '../../rag/passages/index.js';
import type { Block, TextBlock } from '../parsing/extracted-document.js';
import { makePassages } from './make-passages.js';
import { type StructureState, structurePart } from './structure-part.js';

const paragraph = (text: string, kind: TextBlock['kind'] = 'paragraph'): TextBlock => ({
  ...{ kind, text, page: null, box: null },
});

/** As the stage does it: what is remembered crosses a process border as JSON. */
function inParts(parts: Block[][], headingStyles: number[] = []) {
  let state: StructureState | null = null;
  const batches: PassageBatch[] = [];
  let mostRemembered = 0;
  for (const [i, blocks] of parts.entries()) {
    const options = { isLast: i === parts.length - 1, headingStyles, parts: parts.length };
    const step = structurePart(state, { blocks }, options);
    batches.push(...step.batches);
    state = JSON.parse(JSON.stringify(step.state)) as StructureState;
    mostRemembered = Math.max(mostRemembered, JSON.stringify(state).length);
  }
  return { batches, state: state!, mostRemembered };
}

const rowsOf = (batches: PassageBatch[]) =>
  batches.flatMap(({ passages }) => JSON.parse(passages) as { ordinal: number; text: string }[]);
const postingsOf = (batches: PassageBatch[]) =>
  batches.flatMap(({ postings }) => JSON.parse(postings) as unknown[]);

/** Cuts a list at random places, also at the same one twice. */
function cutAtRandom<T>(items: T[], seed: number, most: number): T[][] {
  const random = randomFrom(seed);
  const cuts = Array.from({ length: random(most) }, () => random(items.length + 1)).sort((a, b) => a - b);
  return [0, ...cuts].map((from, i) => items.slice(from, cuts[i] ?? items.length));
}

describe('passages that are made part by part', () => {
  const whole = (blocks: Block[]) => {
    const passages = makePassages({ blocks });
    const batches: PassageBatch[] = [];
    for (let at = 0; at < passages.length; at += PASSAGES_PER_BLOCK) {
      const around = { before: passages[at - 1], after: passages[at + PASSAGES_PER_BLOCK] };
      batches.push(batchOf(passages.slice(at, at + PASSAGES_PER_BLOCK), around));
    }
    return batches;
  };

  it('are those of the whole document, wherever it is cut', () => {
    for (let seed = 0; seed < 100; seed += 1) {
      const blocks = randomDocument(seed, 40);
      const parts = cutAtRandom(blocks, seed + 1_000, 12);
      expect({ seed, batches: inParts(parts).batches }).toEqual({ seed, batches: whole(blocks) });
    }
  });

  it('come in batches of full blocks of postings, whose words are found as if there were one batch', () => {
    const blocks = Array.from({ length: 700 }, (_, i) =>
      i % 7 === 0 ? paragraph(`Section ${i}`, 'heading') : paragraph(`${'covered care '.repeat(30)} ${i}.`),
    );
    const { batches } = inParts(cutAtRandom(blocks, 7, 30));
    expect(batches.map(({ first, count }) => [first, count])).toEqual(
      whole(blocks).map(({ first, count }) => [first, count]),
    );
    expect(batches.slice(0, -1).every(({ count }) => count === PASSAGES_PER_BLOCK)).toBe(true);
    expect(postingsOf(batches)).toEqual(postingsOf(whole(blocks)));
  });

  it('need no more memory for a document without any heading or end of its list', () => {
    const parts = (count: number) =>
      Array.from({ length: count }, (_, part) =>
        Array.from({ length: 100 }, (__, i) =>
          paragraph(
            `Item ${part} ${i} of a list that never ends, with some words more.`,
            i + part === 0 ? 'paragraph' : 'list-item',
          ),
        ),
      );
    const [short, long] = [inParts(parts(30)), inParts(parts(60))];
    expect(long.mostRemembered).toBeLessThan(short.mostRemembered * 1.2);
    expect(rowsOf(long.batches)).toHaveLength(long.state.maker.ordinal);
  });

  it('get the level of a heading from the print of the whole document', () => {
    const heading = (text: string, style: number): TextBlock => ({
      ...paragraph(text, 'heading'),
      level: 1,
      style,
    });
    const { batches } = inParts(
      [
        [heading('Plan', 48), paragraph('It pays.')],
        [heading('Limits', 28), paragraph('It stops.')],
      ],
      [48, 28],
    );
    expect(rowsOf(batches)).toMatchObject([
      { heading_path: ['Plan'], text: 'It pays.' },
      { heading_path: ['Plan', 'Limits'], text: 'It stops.' },
    ]);
  });

  it('leave a sample of every part, for its language', () => {
    const { state } = inParts([[paragraph('First part.')], [paragraph('Second part.')]]);
    expect(state.sample).toContain('First part.');
    expect(state.sample).toContain('Second part.');
  });
});
