import type { StageName } from '../workflow/ingestion-stages.js';
import { planRedo, type RedoState } from './redo.js';

const READY: RedoState = { generation: 1, liveGeneration: 1, semanticGeneration: 1, hasParts: false };
const FAILED_IN_EMBED: RedoState = { ...READY, semanticGeneration: null, hasParts: true };
const FAILED_IN_EXTRACT: RedoState = { ...FAILED_IN_EMBED, liveGeneration: null, hasParts: false };
/** What questions find is generation 1; generation 2 is made beside it. */
const SECOND: RedoState = { ...READY, generation: 2, hasParts: true };

const redone = (from: StageName | StageName[], state: RedoState) => {
  const { stages, newGeneration, copyOf } = planRedo([from].flat(), state);
  return [[...stages].join(' '), newGeneration, ...(copyOf === undefined ? [] : [copyOf])];
};

describe('doing a document again', () => {
  it('from a stage on takes all stages that build on it', () => {
    expect(redone('extract', FAILED_IN_EXTRACT)).toEqual(['extract structure embed assess publish', false]);
    expect(redone('embed', FAILED_IN_EXTRACT)).toEqual(['embed publish', false]);
    expect(redone('assess', FAILED_IN_EMBED)).toEqual(['assess publish', false]);
  });

  it('begins with the reading when that has left nothing, beside what is found now', () => {
    expect(redone('assess', READY)).toEqual(['assess extract structure embed publish', true]);
    expect(redone('structure', READY)).toEqual(['structure extract embed assess publish', true]);
  });

  it('copies the passages for new vectors when questions find the old ones', () => {
    expect(redone('embed', READY)).toEqual(['structure embed assess publish', true, 1]);
    expect(redone('embed', { ...READY, hasParts: true })).toEqual([
      'structure embed assess publish',
      true,
      1,
    ]);
    expect(redone('embed', FAILED_IN_EMBED)).toEqual(['embed publish', false]);
  });

  it('makes new passages for new vectors when their assessment is to be done again too', () => {
    expect(redone(['embed', 'assess'], { ...READY, hasParts: true })).toEqual([
      'embed assess structure publish',
      true,
    ]);
  });

  it('makes a new generation only when its own is what questions find, or may find again', () => {
    expect(redone('structure', FAILED_IN_EMBED)).toEqual(['structure embed assess publish', true]);
    expect(redone('structure', SECOND)).toEqual(['structure embed assess publish', false]);
    expect(redone('structure', { ...SECOND, hidden: 'kept', hasParts: false })).toEqual([
      'structure extract embed assess publish',
      true,
    ]);
    expect(redone('embed', { ...SECOND, hidden: 'kept' })).toEqual([
      'structure embed assess publish',
      true,
      1,
    ]);
  });

  it('goes on with the vectors of new passages, and copies the old ones when there are no new ones yet', () => {
    expect(redone('embed', { ...SECOND, hidden: 'has-passages' })).toEqual(['embed publish', false]);
    for (const hidden of ['made', undefined] as const)
      expect(redone('embed', { ...SECOND, hidden })).toEqual(['structure embed assess publish', false, 1]);
  });

  it('of the last stage is the last stage', () => {
    expect(redone('publish', READY)).toEqual(['publish', false]);
  });
});
