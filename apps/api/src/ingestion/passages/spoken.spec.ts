import type { Block, TextBlock } from '../parsing/extracted-document.js';
import { makePassages } from './make-passages.js';
import { joinSpoken, timeOf } from './spoken.js';

/** Said from one second to another, with a cue for each word. */
function said(text: string, from: number, to: number): TextBlock {
  const words = [...text.matchAll(/\S+/g)];
  const share = ((to - from) * 1_000) / words.length;
  const cues = words.map((word, i) => ({
    start: word.index,
    startMs: Math.round(from * 1_000 + i * share),
    endMs: Math.round(from * 1_000 + (i + 1) * share),
  }));
  return { kind: 'paragraph', text, page: null, box: null, cues };
}
const written = (text: string): Block => ({ kind: 'paragraph', text, page: null, box: null });
const words = (count: number) => Array.from({ length: count }, (_, i) => `w${i}`).join(' ');

describe('joinSpoken', () => {
  it('joins a sentence that goes on in the next stretch, with its times', () => {
    const joined = joinSpoken(said('The plan pays for', 0, 4), said('glasses once a year.', 4, 8))!;
    expect(joined.text).toBe('The plan pays for glasses once a year.');
    const at = joined.text.indexOf('glasses');
    expect(joined.cues!.find((cue) => cue.start === at)).toEqual({ start: at, startMs: 4_000, endMs: 5_000 });
  });

  it.each([
    ['a longer pause', said('One.', 0, 1), said('Two.', 4, 5)],
    ['enough was said', said(`${words(60)}.`, 0, 20), said('Two.', 20, 21)],
    ['text that is written', said('One', 0, 1), written('Two.')],
    ['a heading', { ...said('One', 0, 1), kind: 'heading' as const }, said('Two', 1, 2)],
  ])('begins a paragraph after %s', (_, last, next) => expect(joinSpoken(last, next)).toBeUndefined());
});

describe('timeOf', () => {
  it('tells from when to when a slice is said, and nothing of what is written', () => {
    const block = said('one two three four', 0, 4);
    expect(timeOf(block, { start: 4, end: 13 })).toEqual([{ startMs: 1_000, endMs: 3_000 }]);
    expect(timeOf(block, { start: 0, end: 3 })).toEqual([{ startMs: 0, endMs: 1_000 }]);
    expect(timeOf({ ...block, cues: undefined }, { start: 0, end: 3 })).toEqual([]);
  });
});

describe('passages of a recording', () => {
  it('are cut between sentences, whatever the stretches, and know their times', () => {
    const sentence = (n: number) => `Number ${n} is ${words(27)} end.`;
    const text = [1, 2, 3, 4].map(sentence).join(' ');
    const half = text.indexOf(' w13', text.indexOf('Number 2'));
    const passages = makePassages({
      blocks: [said(text.slice(0, half), 0, 23), said(text.slice(half + 1), 23, 62)],
    });
    expect(passages.map(({ text: passage }) => passage)).toEqual([
      `${sentence(1)} ${sentence(2)}`,
      `${sentence(3)} ${sentence(4)}`,
    ]);
    const [first, second] = passages;
    expect(first!.startMs).toBe(0);
    expect(second!.endMs).toBe(62_000);
    expect(first!.endMs).toBeGreaterThan(23_000);
    expect(Math.abs(second!.startMs! - first!.endMs!)).toBeLessThan(1_000);
  });

  it('end where the speaker is silent for long, however little was said', () => {
    const minutes = [
      said('Good morning.', 0, 2),
      said('Hold on, please.', 4, 6),
      said('Your copay is $25.', 95, 98),
    ];
    const passages = makePassages({ blocks: minutes });
    expect(passages.map(({ text, startMs, endMs }) => [text, startMs, endMs])).toEqual([
      ['Good morning.\n\nHold on, please.', 0, 6_000],
      ['Your copay is $25.', 95_000, 98_000],
    ]);
  });

  it('have no times when they are written', () => {
    const [passage] = makePassages({ blocks: [written('Text.')] });
    expect(passage).not.toHaveProperty('startMs');
  });
});
