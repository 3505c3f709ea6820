import { type Gate, type GateCheck, type GateEvidence, GATE_OUTCOMES, type GateOutcome } from './gate.js';
import type { GateConfig } from './gates.config.js';

/** Too few words to say in which language they are. */
const WORDS_OF_A_LANGUAGE = 30;
/** The vectors of a handful of passages may well lie close together. */
const VECTORS_TO_COMPARE = 8;

type Check = (evidence: GateEvidence, config: GateConfig) => GateCheck | undefined;

/** Judges what a stage found out. Only what the stage knows is checked; the worst check counts. */
export function evaluateGate(evidence: GateEvidence, config: GateConfig): Gate {
  const checks = CHECKS.map((check) => check(evidence, config)).filter((check) => check !== undefined);
  return { outcome: worst(checks.map((check) => check.outcome)), checks };
}

/** The check that decided, when the gate let nothing through; the first of several. */
export function decidingCheck({ outcome, checks }: Gate): GateCheck | undefined {
  return outcome === 'needs_review' || outcome === 'failed'
    ? checks.find((check) => check.outcome === outcome)
    : undefined;
}

function worst(outcomes: readonly GateOutcome[]): GateOutcome {
  return GATE_OUTCOMES.findLast((outcome) => outcomes.includes(outcome)) ?? 'pass';
}

const text: Check = ({ words }, { wordsWarn }) => {
  if (words === undefined) return undefined;
  if (words === 0) return { code: 'no-text', score: 0, threshold: 1, outcome: 'failed' };
  return atLeast('little-text', words, { warn: wordsWarn });
};

const recognition: Check = ({ recognisedWords = 0, recognitionConfidence }, config) =>
  recognisedWords > 0 && recognitionConfidence !== undefined
    ? atLeast('low-ocr-confidence', recognitionConfidence, {
        warn: config.ocrConfidenceWarn,
        review: config.ocrConfidenceReview,
      })
    : undefined;

const transcript: Check = ({ spokenWords = 0, transcriptConfidence }, config) =>
  spokenWords > 0 && transcriptConfidence !== undefined
    ? atLeast('low-transcript-confidence', transcriptConfidence, {
        warn: config.transcriptConfidenceWarn,
        review: config.transcriptConfidenceReview,
      })
    : undefined;

const garbled: Check = ({ garbledRatio }, { garbledWarn, garbledReview }) =>
  garbledRatio === undefined
    ? undefined
    : atMost('garbled-text', garbledRatio, { warn: garbledWarn, review: garbledReview });

const pagesWithoutText: Check = ({ pages = 0, pagesWithoutText: empty }, config) =>
  atMostShare('pages-without-text', empty, pages, {
    warn: config.pagesWithoutTextWarn,
    review: config.pagesWithoutTextReview,
  });

const pagesUnreadable: Check = ({ pages = 0, pagesUnreadable: unreadable }, config) =>
  atMostShare('pages-unreadable', unreadable, pages, { warn: 0, review: config.pagesUnreadableReview });

const language: Check = ({ language: found, words = Infinity }, { languages }) => {
  if (found === undefined || words < WORDS_OF_A_LANGUAGE) return undefined;
  const isExpected = found !== null && (languages?.split(',').includes(found) ?? true);
  const code = found === null ? 'unknown-language' : 'unexpected-language';
  return { code, score: null, threshold: null, outcome: isExpected ? 'pass' : 'warn' };
};

const tables: Check = ({ tableCells = 0, tableCellsWithoutHeader }, config) =>
  atMostShare('tables-without-headers', tableCellsWithoutHeader, tableCells, {
    warn: config.tableHeadersWarn,
    review: config.tableHeadersReview,
  });

const refused: Check = ({ passages = 0, vectorsRefused }, { refusedReview }) =>
  atMostShare('passages-refused', vectorsRefused, passages, { warn: 0, review: refusedReview });

const finite: Check = ({ vectorsNonFinite }) =>
  vectorsNonFinite === undefined
    ? undefined
    : {
        code: 'vectors-not-finite',
        score: vectorsNonFinite,
        threshold: 0,
        outcome: vectorsNonFinite > 0 ? 'failed' : 'pass',
      };

const alike: Check = ({ vectors = 0, similarityToCentroid }, { vectorsAlikeReview }) =>
  vectors >= VECTORS_TO_COMPARE && similarityToCentroid !== undefined
    ? {
        code: 'vectors-alike',
        score: rounded(similarityToCentroid),
        threshold: vectorsAlikeReview,
        outcome: similarityToCentroid >= vectorsAlikeReview ? 'needs_review' : 'pass',
      }
    : undefined;

/** In the order in which their reasons are told. */
const CHECKS: readonly Check[] = [
  text,
  recognition,
  transcript,
  garbled,
  pagesUnreadable,
  pagesWithoutText,
  language,
  tables,
  finite,
  alike,
  refused,
];

interface Limits {
  warn: number;
  review?: number;
}

function atLeast(code: string, score: number, { warn, review }: Limits): GateCheck {
  return judged(code, score, { warn, review }, (limit) => score < limit);
}

function atMost(code: string, score: number, { warn, review }: Limits): GateCheck {
  return judged(code, score, { warn, review }, (limit) => score > limit);
}

function atMostShare(
  code: string,
  part: number | undefined,
  whole: number,
  limits: Limits,
): GateCheck | undefined {
  return part === undefined || whole === 0 ? undefined : atMost(code, Math.min(1, part / whole), limits);
}

function judged(
  code: string,
  score: number,
  { warn, review }: Limits,
  isCrossed: (limit: number) => boolean,
): GateCheck {
  const needsReview = review !== undefined && isCrossed(review);
  return {
    code,
    score: rounded(score),
    threshold: needsReview ? review : warn,
    outcome: needsReview ? 'needs_review' : isCrossed(warn) ? 'warn' : 'pass',
  };
}

function rounded(score: number): number {
  return Math.round(score * 10_000) / 10_000;
}
