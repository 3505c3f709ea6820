import type { TextBlock } from './extracted-document.js';
import { parseSubtitles } from './subtitles.parser.js';

const parse = (text: string) => parseSubtitles(Buffer.from(text)).blocks as TextBlock[];
/** What is said from each cue on, with its times. */
const said = ({ text, cues = [] }: TextBlock) =>
  cues.map(({ start, startMs, endMs }, i) => [text.slice(start, cues[i + 1]?.start).trim(), startMs, endMs]);

describe('parseSubtitles', () => {
  it('joins what is said, and knows when each part is', () => {
    const [block, ...others] = parse(
      '\uFEFFWEBVTT\n\nNOTE a remark\n\n1\n00:01.500 --> 00:03.000 align:start\nThe deductible\n\n00:00:03.000 --> 01:00:05.250\nis <b>$500</b> &amp; more.\n',
    );
    expect(others).toEqual([]);
    expect(block!.text).toBe('The deductible is $500 & more.');
    expect(said(block!)).toEqual([
      ['The deductible', 1_500, 3_000],
      ['is $500 & more.', 3_000, 3_605_250],
    ]);
  });

  it('reads SubRip, with two lines in a cue and marks of place', () => {
    const [block] = parse(
      '1\r\n00:00:01,000 --> 00:00:02,500\r\n{\\an8}Copay for a visit\r\nis $30.\r\n\r\n',
    );
    expect(said(block!)).toEqual([['Copay for a visit is $30.', 1_000, 2_500]]);
  });

  it('begins a paragraph when somebody else speaks, and after a silence', () => {
    const blocks = parse(
      'WEBVTT\n\n00:01.000 --> 00:02.000\n<v Ann Lee>Is it covered?\n\n00:02.000 --> 00:03.000\n<v.loud Bob>Yes.\n\n00:03.000 --> 00:04.000\n<v Bob>After a call.\n\n00:20.000 --> 00:21.000\n<v Bob>Hello?\n',
    );
    expect(blocks.map(({ text }) => text)).toEqual([
      'Ann Lee: Is it covered?',
      'Bob: Yes. After a call.',
      'Bob: Hello?',
    ]);
  });

  it('ends a paragraph with a sentence once enough was said, and says a repeated line once', () => {
    const cue = (i: number, text: string) =>
      `00:${String(i).padStart(2, '0')}.000 --> 00:${i + 1}.000\n${text}\n`;
    const blocks = parse(
      [
        'WEBVTT\n',
        ...Array.from({ length: 20 }, (_, i) =>
          cue(i + 10, `Sentence ${Math.floor(i / 2)} ${'x'.repeat(60)}.`),
        ),
      ].join('\n'),
    );
    expect(blocks.map(({ cues }) => cues!.length)).toEqual([5, 5]);
  });

  it('refuses a file in which nothing is said', () => {
    expect(() => parse('WEBVTT\n\n')).toThrow(expect.objectContaining({ code: 'no-text' }));
  });
});
