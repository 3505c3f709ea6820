import { counter, histogram } from '#libs/observability';
import type { ParseFailureCode } from '../parsing/parse-failure.js';

const pages = counter({
  name: 'navigator_recognition_pages_total',
  help: 'Pages and pictures of which the text was recognised',
  labelNames: ['provider'],
});
const seconds = histogram({
  name: 'navigator_recognition_page_seconds',
  help: 'How long drawing and reading one page took, with waiting for a process or a server',
  labelNames: ['provider'],
});
const confidences = histogram({
  name: 'navigator_recognition_confidence',
  help: 'How sure the engine was of the words of a page, 0 to 1: the mean over its words',
  labelNames: ['provider'],
  buckets: [0.3, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 1],
});
const failures = counter({
  name: 'navigator_recognition_failures_total',
  help: 'Pages and pictures that could not be read, by reason code',
  labelNames: ['reason'],
});
export const ocrFailovers = counter({
  name: 'navigator_recognition_failovers_total',
  help: 'Pages that the embedded engine read in the place of an outside one',
});

/** @param engine `provider:model` */
export function observePage(engine: string, wallMs: number, confidence: number | undefined): void {
  const provider = engine.split(':')[0]!;
  pages.inc({ provider });
  seconds.observe({ provider }, wallMs / 1_000);
  if (confidence !== undefined) confidences.observe({ provider }, confidence);
}

export function countFailure(reason: ParseFailureCode): void {
  failures.inc({ reason });
}
