import { cleanText } from './clean-text.js';
import { decodeText } from './decode-text.js';
import type { Block, ExtractedDocument, TextBlock, TextCue } from './extracted-document.js';
import { ParseFailure } from './parse-failure.js';

/**
 * Reads subtitles, WebVTT or SubRip: what is said goes together to paragraphs that know when each part is said.
 * Speakers keep their names.
 * @throws ParseFailure no-text, unknown-encoding
 */
export function parseSubtitles(bytes: Uint8Array): ExtractedDocument {
  const blocks = paragraphsOf(readCues(decodeText(bytes).replace(/^\uFEFF/, '')));
  if (blocks.length === 0) throw new ParseFailure('no-text');
  return { format: 'subtitles', title: null, pageCount: null, blocks, warnings: [] };
}

interface Cue {
  startMs: number;
  endMs: number;
  speaker: string | undefined;
  text: string;
}

const TIMES = /^\s*((?:\d+:)?\d{1,2}:\d{1,2}[.,]\d{1,3})\s+-->\s+((?:\d+:)?\d{1,2}:\d{1,2}[.,]\d{1,3})/;

/** A cue is a line with its times and the lines below it, up to an empty one. */
function readCues(text: string): Cue[] {
  const cues: Cue[] = [];
  const lines = text.split(/\r\n?|\n/);
  for (let at = 0; at < lines.length; at += 1) {
    const times = TIMES.exec(lines[at]!);
    if (!times) continue;
    const own: string[] = [];
    while (at + 1 < lines.length && lines[at + 1]!.trim() !== '') own.push(lines[(at += 1)]!);
    const cue = { startMs: millisecondsOf(times[1]!), endMs: millisecondsOf(times[2]!), ...spoken(own) };
    // What is shown in several places at once, or again while it scrolls, is said once.
    if (cue.text !== '' && cue.text !== cues.at(-1)?.text) cues.push(cue);
  }
  return cues;
}

function millisecondsOf(time: string): number {
  const [fraction = '0', ...rest] = time.split(/[:.,]/).reverse();
  const [seconds = 0, minutes = 0, hours = 0] = rest.map(Number);
  return ((hours * 60 + minutes) * 60 + seconds) * 1_000 + Number(fraction.padEnd(3, '0'));
}

function spoken(lines: string[]): { speaker: string | undefined; text: string } {
  const source = lines.join(' ');
  const voice = /<v(?:\.[^\s>]*)?\s+([^>]+)>/.exec(source)?.[1];
  const text = source
    .replace(/<[^>]*>/g, '')
    .replace(/\{\\[^}]*\}/g, '')
    .replace(/&(amp|lt|gt|nbsp|lrm|rlm);/g, (_, name: string) => ENTITIES[name]!);
  return { speaker: voice && cleanText(voice), text: cleanText(text) };
}

const ENTITIES: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  nbsp: ' ',
  lrm: '',
  rlm: '',
};

function paragraphsOf(cues: readonly Cue[]): Block[] {
  const blocks: (TextBlock & { cues: TextCue[] })[] = [];
  let previous: Cue | undefined;
  for (const cue of cues) {
    const last = blocks.at(-1);
    if (last && previous && goesOn(last.text, previous, cue)) {
      last.cues.push({ start: last.text.length + 1, startMs: cue.startMs, endMs: cue.endMs });
      last.text += ` ${cue.text}`;
    } else {
      const text = cue.speaker ? `${cue.speaker}: ${cue.text}` : cue.text;
      const { startMs, endMs } = cue;
      blocks.push({ kind: 'paragraph', text, page: null, box: null, cues: [{ start: 0, startMs, endMs }] });
    }
    previous = cue;
  }
  return blocks;
}

/** Until somebody else speaks, there is silence, or enough was said and a sentence ends. */
function goesOn(text: string, previous: Cue, cue: Cue): boolean {
  if (cue.speaker !== previous.speaker || cue.startMs - previous.endMs > MAX_SILENCE_MS) return false;
  if (text.length >= MAX_LENGTH) return false;
  return text.length < ENOUGH_LENGTH || !/[.!?…]["”’)]?$/.test(text);
}

const MAX_SILENCE_MS = 3_000;
const ENOUGH_LENGTH = 300;
const MAX_LENGTH = 1_200;
