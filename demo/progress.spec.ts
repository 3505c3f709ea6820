import { createPalette } from './print.js';
import { ProgressBoard, progressOf, renderBar } from './progress.js';
import { DOCUMENT } from './testing/fake-api.js';

const embedding = {
  ...DOCUMENT,
  status: 'processing' as const,
  answerable: 'lexical' as const,
  percent: 50,
  stages: [
    { name: 'extract', status: 'done' as const },
    { name: 'embed', status: 'running' as const },
    { name: 'assess', status: 'running' as const },
  ],
};
const ready = { ...embedding, status: 'ready' as const, answerable: 'semantic' as const, percent: 100 };

function board(isTTY: boolean, columns = 100) {
  const written: string[] = [];
  const output = { isTTY, columns, write: (text: string) => written.push(text) };
  return { written, progress: new ProgressBoard(output, createPalette(false)) };
}

describe('progressOf', () => {
  it('names the stages under way, and that questions can be asked already', () => {
    const { stage, note } = progressOf(embedding);
    expect(`${stage}${note}`).toBe('embed + assess, answerable by its words');
  });

  it.each([
    ['queued', 'queued'],
    ['ready', 'ready'],
    ['failed', 'failed'],
  ] as const)('says %s for a document that is %s', (status, state) => {
    expect(progressOf({ ...embedding, status }).stage).toBe(state);
  });

  it('says that a document waits between two stages', () => {
    expect(progressOf({ ...DOCUMENT, status: 'processing' }).stage).toBe('waiting');
  });
});

describe('renderBar', () => {
  it('fills the bar by the percentage', () => {
    expect(renderBar({ name: 'a.pdf', percent: 50, stage: 'embed', note: '' }, 8, 100)).toBe(
      `  a.pdf     ${'█'.repeat(12)}${'░'.repeat(12)}  50%  embed`,
    );
  });

  it('never grows wider than the terminal', () => {
    const bar = renderBar({ name: 'a'.repeat(50), percent: 100, stage: 'ready', note: '' }, 20, 40);
    expect(bar).toHaveLength(39);
    expect(bar.endsWith('…')).toBe(true);
  });
});

describe('ProgressBoard', () => {
  it('draws the bars of all documents again over the old ones on a terminal', () => {
    const { written, progress } = board(true);
    progress.update(embedding);
    progress.update({ ...embedding, id: 'd2', filename: 'second.pdf' });
    progress.update(ready);
    expect(written[0]).not.toContain('\u001b[1A');
    expect(written[1]!.startsWith('\u001b[1A')).toBe(true);
    expect(written[2]!.startsWith('\u001b[2A')).toBe(true);
    expect(written[2]).toContain('100%  ready');
    expect(written[2]).toContain('second.pdf');
  });

  it('leaves out the instants between two stages', () => {
    const { written, progress } = board(false);
    progress.update(embedding);
    progress.update({ ...embedding, stages: [] });
    expect(written).toHaveLength(1);
  });

  it('writes a line for each change elsewhere, and none for the same state', () => {
    const { written, progress } = board(false);
    for (const percent of [50, 60, 70]) progress.update({ ...embedding, percent });
    progress.update(ready);
    expect(written).toEqual([
      '  plan.txt: embed + assess, answerable by its words (50%)\n',
      '  plan.txt: ready (100%)\n',
    ]);
  });
});
