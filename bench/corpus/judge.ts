import type { Sample } from './manifest.js';
import { wordErrorRate } from './word-error-rate.js';

/** How one file went through the product. */
export interface Outcome {
  status: string;
  reason: string | null;
  title: string;
  /** All its passages, one after the other. */
  text: string;
  passages: number;
  /** From the first stage's begin to the last one's end. */
  seconds: number;
  /** The same file with its password; undefined when there is none. */
  opened?: Omit<Outcome, 'opened'>;
}

export interface Verdict {
  passed: boolean;
  /** What was measured or found, for the table. */
  found: string;
}

export const MAX_SECONDS = 60;
const MAX_WORD_ERROR_RATE = 0.15;

/** Ends that a person understands, for files that cannot be read. */
const CLEAN = new Set(['failed', 'needs_review']);
const LOCKED = new Set(['password-protected', 'wrong-password']);

/** Whether a file came to the end that its class demands. */
export function judge(sample: Sample, outcome: Outcome): Verdict {
  const verdict = RULES[sample.class](sample, outcome);
  const slowest = Math.max(outcome.seconds, outcome.opened?.seconds ?? 0);
  if (slowest <= MAX_SECONDS) return verdict;
  return { passed: false, found: `${verdict.found}; took ${slowest.toFixed(0)} s` };
}

const RULES: Record<Sample['class'], (sample: Sample, outcome: Outcome) => Verdict> = {
  text: findText,
  ocr: findText,
  encoding: (_, outcome) => ({
    // The manifest says no text, and the file is Russian: what a wrong code page gives is not.
    passed: outcome.status === 'ready' && isMostlyCyrillic(outcome.text),
    found: outcome.status === 'ready' ? 'read in its code page' : endOf(outcome),
  }),
  transcript: ({ expected }, outcome) => {
    const rate = wordErrorRate(expected, outcome.text);
    return {
      passed: outcome.status === 'ready' && rate <= MAX_WORD_ERROR_RATE,
      found: outcome.status === 'ready' ? `word error rate ${(rate * 100).toFixed(1)} %` : endOf(outcome),
    };
  },
  password: (sample, outcome) => {
    const asked = LOCKED.has(outcome.reason ?? '');
    if (!asked || !outcome.opened) return { passed: false, found: `without a password: ${endOf(outcome)}` };
    const opened = findText(sample, outcome.opened);
    return { ...opened, found: `password asked; with it: ${opened.found}` };
  },
  encrypted: (sample, outcome) => {
    const asked = LOCKED.has(outcome.reason ?? '');
    const opened = outcome.opened && `; with it: ${endOf(outcome.opened)}`;
    const isOpened = !outcome.opened || outcome.opened.status === 'ready';
    return { passed: asked && isOpened, found: asked ? `password asked${opened ?? ''}` : endOf(outcome) };
  },
  'encrypted-or-owner': (_, outcome) => ({
    passed: outcome.status === 'ready' || LOCKED.has(outcome.reason ?? ''),
    found: endOf(outcome),
  }),
  malformed: endsCleanly,
  bomb: (_, outcome) => ({ passed: CLEAN.has(outcome.status), found: endOf(outcome) }),
  'no-text': (_, outcome) => ({
    passed: CLEAN.has(outcome.status) && outcome.passages === 0,
    found: endOf(outcome),
  }),
};

function findText(sample: Sample, outcome: Outcome): Verdict {
  const wanted = normal(visiblePart(sample));
  const passed = outcome.status === 'ready' && normal(`${outcome.title}\n${outcome.text}`).includes(wanted);
  if (passed) return { passed, found: `text found in ${outcome.passages} passages` };
  return { passed, found: outcome.status === 'ready' ? 'text not found' : endOf(outcome) };
}

function endsCleanly(_: Sample, outcome: Outcome): Verdict {
  return { passed: outcome.status === 'ready' || CLEAN.has(outcome.status), found: endOf(outcome) };
}

function endOf({ status, reason, passages }: Omit<Outcome, 'opened'>): string {
  return status === 'ready' ? `ready, ${passages} passages` : `${status}: ${reason ?? 'no reason'}`;
}

/** The manifest was made from the raw bytes of subtitles: a cue's number and times are its place and not its text. */
function visiblePart({ format, expected }: Sample): string {
  if (format !== 'vtt' && format !== 'srt') return expected;
  return expected.replace(/^\d+\s+/, '').replace(/[\d:.,]+ --> [\d:.,]+/, '');
}

/** Cells are told apart by bars. */
const normal = (text: string) => text.normalize('NFKC').replaceAll(' | ', ' ').replace(/\s+/g, ' ').trim();

function isMostlyCyrillic(text: string): boolean {
  const letters = text.match(/\p{L}/gu)?.length ?? 0;
  return letters > 0 && (text.match(/\p{Script=Cyrillic}/gu)?.length ?? 0) / letters > 0.9;
}
