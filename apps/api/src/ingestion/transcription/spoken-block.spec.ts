import { spokenBlock } from './spoken-block.js';

const RANGE = { from: 60_000, to: 69_999 };
const transcript = { heardBy: 'fake:one', cpuSeconds: 0, cost: 0, confidence: 0.9 };

describe('spokenBlock', () => {
  it('takes the times that a transcriber tells, from the beginning of the recording', () => {
    const pieces = [
      { text: 'The plan pays.', startMs: 500, endMs: 2_000 },
      { text: 'You pay the rest.', startMs: 4_000, endMs: 6_000 },
    ];
    expect(spokenBlock({ ...transcript, text: 'not this', pieces }, RANGE)).toEqual({
      kind: 'paragraph',
      text: 'The plan pays. You pay the rest.',
      page: null,
      box: null,
      confidence: 0.9,
      cues: [
        { start: 0, startMs: 60_500, endMs: 62_000 },
        { start: 15, startMs: 64_000, endMs: 66_000 },
      ],
    });
  });

  it('divides the time among clauses by their length when it has none', () => {
    const { text, cues } = spokenBlock({ ...transcript, text: 'Ten of clubs, ten of clubs.' }, RANGE)!;
    expect(text).toBe('Ten of clubs, ten of clubs.');
    expect(cues).toEqual([
      { start: 0, startMs: 60_000, endMs: 65_000 },
      { start: 14, startMs: 65_000, endMs: 70_000 },
    ]);
  });

  it('divides long clauses too', () => {
    const text = Array.from({ length: 40 }, (_, i) => `word${i}`).join(' ');
    const { cues } = spokenBlock({ ...transcript, text }, RANGE)!;
    expect(cues!.length).toBeGreaterThan(4);
    expect(cues!.at(-1)!.endMs).toBe(70_000);
  });

  it('is nothing when nothing was said', () => {
    expect(spokenBlock({ ...transcript, text: '' }, RANGE)).toBeUndefined();
    expect(spokenBlock({ ...transcript, text: '', pieces: [] }, RANGE)).toBeUndefined();
  });
});
