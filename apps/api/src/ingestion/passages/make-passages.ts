import type { NewPassage } from '../../rag/passages/index.js';
import type { ExtractedDocument } from '../parsing/extracted-document.js';
import { PassageMaker } from './passage-maker.js';

/** The passages of a document that is there as a whole. */
export function makePassages(document: Pick<ExtractedDocument, 'blocks'>): NewPassage[] {
  const maker = new PassageMaker();
  for (const block of document.blocks) maker.push(block);
  maker.end();
  return maker.take();
}
