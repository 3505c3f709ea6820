import type { StageName } from '../workflow/ingestion-stages.js';
import type { Document } from './document.js';
import { planRedo } from './redo.js';

type State = Pick<Document, 'status' | 'liveGeneration' | 'semanticGeneration'>;

const READY: State = { status: 'ready', liveGeneration: 1, semanticGeneration: 1 };
const FAILED_IN_EMBED: State = { status: 'failed', liveGeneration: 1, semanticGeneration: null };
const FAILED_IN_EXTRACT: State = { status: 'failed', liveGeneration: null, semanticGeneration: null };

const redone = (from: StageName, state: State, generation = 1) => {
  const { stages, newGeneration } = planRedo([from], state, generation);
  return [[...stages].join(' '), newGeneration];
};

describe('doing a document again', () => {
  it('from a stage on takes all stages that build on it', () => {
    expect(redone('extract', FAILED_IN_EXTRACT)).toEqual(['extract structure embed assess publish', false]);
    expect(redone('assess', FAILED_IN_EMBED)).toEqual(['assess publish', false]);
  });

  it('begins with the reading when that has left nothing, beside what is found now', () => {
    expect(redone('assess', READY)).toEqual(['assess extract structure embed publish', true]);
    expect(redone('structure', READY)).toEqual(['structure extract embed assess publish', true]);
  });

  it('makes new passages for new vectors when questions find the old ones', () => {
    expect(redone('embed', READY)).toEqual(['embed extract structure assess publish', true]);
    expect(redone('embed', { ...READY, status: 'failed' })).toEqual(['embed structure assess publish', true]);
    expect(redone('embed', FAILED_IN_EMBED)).toEqual(['embed publish', false]);
  });

  it('makes a new generation only when its own is what questions find', () => {
    const second: State = { status: 'failed', liveGeneration: 1, semanticGeneration: 1 };
    expect(redone('structure', second, 2)).toEqual(['structure embed assess publish', false]);
    expect(redone('structure', FAILED_IN_EMBED)).toEqual(['structure embed assess publish', true]);
  });

  it('of the last stage is the last stage', () => {
    expect(redone('publish', READY)).toEqual(['publish', false]);
  });
});
