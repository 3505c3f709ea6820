import type { TextBlock, TextCue } from '../parsing/extracted-document.js';
import type { PartRange } from '../extraction/extractor.js';
import type { SpokenPiece, Transcript } from './transcriber.js';

/**
 * What was said in a stretch as a paragraph, with the time of each piece of it. Where the transcriber tells no times,
 * clauses share the time of the stretch by their length: people speak about equally fast for twenty seconds.
 */
export function spokenBlock(transcript: Transcript, range: PartRange): TextBlock | undefined {
  const pieces = transcript.pieces ?? piecesByLength(transcript.text, range.to - range.from + 1);
  let text = '';
  const cues = pieces.map((piece): TextCue => {
    if (text !== '') text += ' ';
    const start = text.length;
    text += piece.text;
    return { start, startMs: range.from + piece.startMs, endMs: range.from + piece.endMs };
  });
  if (text === '') return undefined;
  const { confidence } = transcript;
  return {
    kind: 'paragraph',
    text,
    page: null,
    box: null,
    cues,
    ...(confidence !== undefined && { confidence }),
  };
}

function piecesByLength(text: string, durationMs: number): SpokenPiece[] {
  const clauses = text.split(/\s+/).reduce<string[]>((pieces, word) => {
    const last = pieces.at(-1);
    if (last === undefined || /[.,;:!?]["')]*$/.test(last) || last.length > LONGEST_CLAUSE) pieces.push(word);
    else pieces[pieces.length - 1] = `${last} ${word}`;
    return pieces;
  }, []);
  const all = clauses.reduce((sum, clause) => sum + clause.length, 0);
  let before = 0;
  return clauses.map((clause) => {
    const startMs = Math.round((before / all) * durationMs);
    before += clause.length;
    return { text: clause, startMs, endMs: Math.round((before / all) * durationMs) };
  });
}

/** In characters: about three seconds. */
const LONGEST_CLAUSE = 40;
