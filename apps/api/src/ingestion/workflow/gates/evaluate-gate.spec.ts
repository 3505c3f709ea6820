import { evaluateGate } from './evaluate-gate.js';
import type { GateEvidence, GateOutcome } from './gate.js';
import { gateSection } from './gates.config.js';
import { reasonOfGate } from './review-reason.js';

const config = gateSection.schema.parse({});
const judge = (evidence: GateEvidence, rest: Partial<typeof config> = {}) =>
  evaluateGate(evidence, { ...config, ...rest });

describe('the quality gate of a stage', () => {
  it('lets through what nothing is known about', () => {
    expect(judge({})).toEqual({ outcome: 'pass', checks: [] });
  });

  it('says of each check what was measured, and against what', () => {
    expect(judge({ words: 500, garbledRatio: 0.0312345 })).toEqual({
      outcome: 'warn',
      checks: [
        { code: 'little-text', score: 500, threshold: 5, outcome: 'pass' },
        { code: 'garbled-text', score: 0.0312, threshold: 0.02, outcome: 'warn' },
      ],
    });
  });

  it.each<[string, GateEvidence, GateOutcome]>([
    ['a few words', { words: 3 }, 'warn'],
    ['text recognised with certainty', { recognisedWords: 80, recognitionConfidence: 0.93 }, 'pass'],
    ['text recognised well enough', { recognisedWords: 80, recognitionConfidence: 0.6 }, 'warn'],
    ['no recognised text', { recognisedWords: 0, recognitionConfidence: 0 }, 'pass'],
    ['speech that was hard to hear', { spokenWords: 9, transcriptConfidence: 0.4 }, 'warn'],
    ['some garbled text', { garbledRatio: 0.05 }, 'warn'],
    ['an empty page in ten', { pages: 10, pagesWithoutText: 1 }, 'pass'],
    ['an empty page in three', { pages: 3, pagesWithoutText: 1 }, 'warn'],
    ['one broken page', { pages: 100, pagesUnreadable: 1 }, 'warn'],
    ['no pages at all', { pages: 0, pagesWithoutText: 0 }, 'pass'],
    ['a known language', { language: 'de', words: 400 }, 'pass'],
    ['an unknown language', { language: null, words: 400 }, 'warn'],
    ['too few words for a language', { language: null, words: 10 }, 'pass'],
    ['tables with headers', { tableCells: 100, tableCellsWithoutHeader: 10 }, 'pass'],
    ['tables without headers', { tableCells: 100, tableCellsWithoutHeader: 90 }, 'warn'],
    ['vectors that differ', { vectors: 100, similarityToCentroid: 0.7 }, 'pass'],
    ['one vector', { vectors: 1, similarityToCentroid: 1 }, 'pass'],
    ['one refused passage', { passages: 100, vectorsRefused: 1 }, 'warn'],
  ])('lets %s through', (_, evidence, outcome) => {
    const gate = judge(evidence);
    expect(gate.outcome).toBe(outcome);
    expect(reasonOfGate(gate)).toBeUndefined();
  });

  it.each<[string, GateEvidence, GateOutcome, string]>([
    ['no word', { words: 0 }, 'failed', 'no-text'],
    ['a guess', { recognisedWords: 80, recognitionConfidence: 0.2 }, 'needs_review', 'low-ocr-confidence'],
    ['noise', { spokenWords: 9, transcriptConfidence: 0.1 }, 'needs_review', 'low-transcript-confidence'],
    ['garbled text', { garbledRatio: 0.5 }, 'needs_review', 'garbled-text'],
    ['hardly a page with text', { pages: 10, pagesWithoutText: 8 }, 'needs_review', 'pages-without-text'],
    ['broken pages', { pages: 10, pagesUnreadable: 3 }, 'needs_review', 'pages-unreadable'],
    ['a vector that is no vector', { vectors: 100, vectorsNonFinite: 1 }, 'failed', 'vectors-not-finite'],
    ['always the same vector', { vectors: 100, similarityToCentroid: 1 }, 'needs_review', 'vectors-alike'],
    ['refused passages', { passages: 10, vectorsRefused: 7 }, 'needs_review', 'passages-refused'],
  ])('stops %s', (_, evidence, outcome, reason) => {
    const gate = judge(evidence);
    expect(gate.outcome).toBe(outcome);
    expect(reasonOfGate(gate)?.code).toBe(reason);
  });

  it('goes by its worst check, and tells the first of those as the reason', () => {
    const gate = judge({ words: 400, garbledRatio: 0.5, pages: 10, pagesWithoutText: 9, language: null });
    expect(gate.outcome).toBe('needs_review');
    expect(reasonOfGate(gate)).toEqual({
      code: 'garbled-text',
      message: expect.stringContaining('Please decide'),
    });
  });

  it('warns about a language that is not among those expected', () => {
    const languages = 'en,es';
    expect(judge({ language: 'es' }, { languages }).outcome).toBe('pass');
    const { outcome, checks } = judge({ language: 'de' }, { languages });
    expect({ outcome, code: checks[0]!.code }).toEqual({ outcome: 'warn', code: 'unexpected-language' });
  });

  it('has limits that somebody may set', () => {
    expect(judge({ tableCells: 4, tableCellsWithoutHeader: 4 }, { tableHeadersReview: 0.9 }).outcome).toBe(
      'needs_review',
    );
    expect(judge({ garbledRatio: 0.5 }, { garbledReview: 1 }).outcome).toBe('warn');
  });
});
