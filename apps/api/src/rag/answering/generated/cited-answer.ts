import type { Citation } from '../answer.js';
import { type AnswerPiece, interleave } from '../answer-pieces.js';
import { citationOf } from '../citation-of.js';
import { type CitedPart, resolveSentence, type ResolvedSentence } from './citations.js';
import { type CitablePassage, NOT_IN_DOCUMENTS } from './prompt.js';
import { sanitise } from './sanitise.js';
import { SentenceReader, type WrittenSentence } from './sentence-reader.js';

/**
 * Turns what a model writes into an answer of which every sentence is supported, while it is being written. A sentence
 * is given out when it is complete and its citations hold; others are left out. So what a reader has seen of a stream
 * is exactly the beginning of the answer that is saved.
 */
export class CitedAnswer {
  text = '';
  /** The model was cut off; what it had begun to say was left out. */
  isTruncated = false;
  readonly citations: Citation[] = [];
  readonly dropped = { unknown: 0, unsupported: 0, sentences: 0 };

  private reader = new SentenceReader();
  private supported = 0;
  private denied = false;
  /** Sentences that wait for the next one that stands: introductions, and claims whose marker may still come. */
  private held: WrittenSentence[] = [];
  /** What the paragraph named last. */
  private neighbours: CitablePassage[] = [];
  /** The line breaks before sentences that were left out. */
  private gap = '';

  constructor(readonly passages: readonly CitablePassage[]) {}

  push(delta: string): AnswerPiece[] {
    return this.reader.push(delta).flatMap((sentence) => this.take(sentence));
  }

  /** @param isCut the model could not write on, so the half of a sentence may say the opposite of the whole */
  finish({ isCut = false } = {}): AnswerPiece[] {
    this.isTruncated = isCut;
    const last = this.reader.finish();
    if (isCut && !isComplete(last.at(-1))) last.pop();
    const pieces = last.flatMap((sentence) => this.take(sentence));
    this.dropHeld();
    return pieces;
  }

  /** Forgets what a model began, so that one may begin again. Only while nothing of it stands. */
  restart(): void {
    if (this.text !== '') throw new Error('What was given out cannot be taken back');
    this.reader = new SentenceReader();
    this.held = [];
    this.neighbours = [];
    this.gap = '';
    this.denied = false;
  }

  /** What came of it; `unusable` when nothing in it is supported and it does not say that the documents are silent. */
  get outcome(): 'answered' | 'not-in-documents' | 'unusable' {
    if (this.text !== '') return 'answered';
    return this.denied ? 'not-in-documents' : 'unusable';
  }

  /** The share of the model's claims that the passages support, 0 to 1. */
  get grounding(): number {
    const claims = this.supported + this.dropped.sentences;
    return claims === 0 ? 0 : this.supported / claims;
  }

  private take(written: WrittenSentence): AnswerPiece[] {
    if (/\n\s*\n/.test(written.lead)) this.endParagraph();
    const sentence = { ...written, text: sanitise(written.text).trim() };
    if (sentence.text.includes(NOT_IN_DOCUMENTS)) this.denied = true;
    else if (isIntroduction(sentence)) this.held.push(sentence);
    else return this.takeClaim(sentence);
    return [];
  }

  private takeClaim(sentence: WrittenSentence): AnswerPiece[] {
    const resolved = this.resolve(sentence);
    const isMarked = resolved.named.length + resolved.dropped.unknown > 0;
    if (!resolved.parts) {
      if (isMarked) this.leaveOut(sentence);
      else this.held.push(sentence);
      return [];
    }
    if (isMarked) this.neighbours = resolved.named;
    const before = this.held.splice(0).flatMap((earlier) => this.settle(earlier));
    this.supported++;
    return [...before, ...this.write(sentence, resolved.parts)];
  }

  /** The sentence after it stands, so an introduction has its place, and a claim may rest on the same passages. */
  private settle(earlier: WrittenSentence): AnswerPiece[] {
    if (isIntroduction(earlier)) return this.write(earlier, [{ text: earlier.text, sources: [] }]);
    const { parts } = this.resolve(earlier);
    if (!parts) {
      this.leaveOut(earlier);
      return [];
    }
    this.supported++;
    return this.write(earlier, parts);
  }

  private resolve({ text }: WrittenSentence): ResolvedSentence {
    const resolved = resolveSentence(text, this.passages, this.neighbours);
    this.dropped.unknown += resolved.dropped.unknown;
    this.dropped.unsupported += resolved.dropped.unsupported;
    return resolved;
  }

  private endParagraph(): void {
    this.neighbours = [];
    const introductions = this.held.filter(isIntroduction).slice(-MOST_INTRODUCTIONS);
    for (const sentence of this.held) if (!isIntroduction(sentence)) this.leaveOut(sentence);
    this.held = introductions;
  }

  private dropHeld(): void {
    for (const sentence of this.held.splice(0)) if (!isIntroduction(sentence)) this.leaveOut(sentence);
  }

  private leaveOut({ lead }: WrittenSentence): void {
    this.dropped.sentences++;
    if (lineBreaks(lead) > lineBreaks(this.gap)) this.gap = lead;
  }

  private write({ lead, sign }: WrittenSentence, parts: readonly CitedPart[]): AnswerPiece[] {
    const offset = this.text.length;
    const before = lineBreaks(this.gap) > lineBreaks(lead) ? this.gap : lead;
    let written = (offset === 0 ? '' : before) + sign;
    this.gap = '';
    const citations: Citation[] = [];
    for (const { text, sources } of parts) {
      // A marker stands before the full stop.
      const [, space = '', claim = '', stop = ''] = /^(\s*)(.*?)([.!?…]*)$/s.exec(text) ?? [];
      written += space;
      const span = {
        answerStart: offset + written.length,
        answerEnd: offset + written.length + claim.length,
      };
      const markers = sources.map((source) => {
        const citation = { ...citationOf(source, this.citations.length + 1), ...span };
        this.citations.push(citation);
        citations.push(citation);
        return `[${citation.marker}]`;
      });
      written += claim + (markers.length > 0 ? ` ${markers.join('')}` : '') + stop;
    }
    this.text += written;
    return interleave(written, offset, citations);
  }
}

/** Headings and the like; what a model heaps up beyond that is not an answer. */
const MOST_INTRODUCTIONS = 3;
const MOST_WORDS_OF_INTRODUCTION = 6;

/** "Yes.", a heading, "In-network:": it claims nothing by itself and needs no source. Numbers always do. */
function isIntroduction({ sign, text }: WrittenSentence): boolean {
  if (/[\d[]/.test(text)) return false;
  const words = text.split(/\s+/).filter((word) => /\p{L}/u.test(word)).length;
  if (words > MOST_WORDS_OF_INTRODUCTION) return false;
  return words <= 1 || sign.includes('#') || /:[*_]*$/.test(text) || /^\*\*[^*]+\*\*$/.test(text);
}

const isComplete = (sentence: WrittenSentence | undefined) =>
  sentence !== undefined && /[.!?…]["'”’)]*(?:\s*\[\d+\])*$/.test(sentence.text.trimEnd());

const lineBreaks = (text: string) => text.split('\n').length;
