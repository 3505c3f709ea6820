/**
 * What a stage found out about its own work: numbers and codes, never text of the document. Each stage fills what it
 * knows; what is absent is not judged.
 */
export interface GateEvidence {
  words?: number;
  /** Absent for formats without pages. */
  pages?: number;
  /** Pages on which no text was found, neither by the parser nor by recognition. */
  pagesWithoutText?: number;
  /** Pages that could not be opened at all. */
  pagesUnreadable?: number;
  /** 0 to 1: the share of characters that no writing system uses. */
  garbledRatio?: number;
  /** How many of the words were read in pictures. */
  recognisedWords?: number;
  /** Mean over the recognised words, 0 to 1. */
  recognitionConfidence?: number;
  /** How many of the words were heard in a recording. */
  spokenWords?: number;
  /** Mean over the heard words, 0 to 1. */
  transcriptConfidence?: number;
  /** ISO 639-1; null when there is too little text to say. */
  language?: string | null;
  passages?: number;
  tableCells?: number;
  /** Of them, those over which no column header stands. */
  tableCellsWithoutHeader?: number;
  vectors?: number;
  /** Of them, those with a component that is not a finite number, or without any direction. */
  vectorsNonFinite?: number;
  /** Passages that the embedder refused. */
  vectorsRefused?: number;
  /** Mean cosine between the vectors and their centroid, -1 to 1: 1 means that all are the same. */
  similarityToCentroid?: number;
}

/** From good to bad; the worst check counts. */
export const GATE_OUTCOMES = ['pass', 'warn', 'needs_review', 'failed'] as const;
export type GateOutcome = (typeof GATE_OUTCOMES)[number];

export interface GateCheck {
  /** Stable: clients and statistics switch on it. */
  code: string;
  /** What was measured, in the unit of the threshold; null when it is no number, such as a language. */
  score: number | null;
  /** The one that was crossed, or the nearest when none was; null when there is none. */
  threshold: number | null;
  outcome: GateOutcome;
}

/** What stands in `job_stage.gate`, from the transaction of the stage's checkpoint on. */
export interface Gate {
  outcome: GateOutcome;
  checks: GateCheck[];
  /** What a person said to `needs_review`. It holds until the stage is done again. */
  decision?: 'approve' | 'reject';
}
