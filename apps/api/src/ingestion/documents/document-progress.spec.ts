import type { StageState } from './document.js';
import { type DocumentBody, percentOf, type StageBody } from './document.dto.js';
import { progressEvents } from './document-progress.js';

const stage = (name: StageBody['name'], status: StageBody['status'], attempts = 0): StageBody => ({
  name,
  status,
  attempts,
  started_at: null,
  finished_at: null,
  duration_ms: null,
  detail: null,
  gate: null,
});

function body(rest: Partial<DocumentBody>): DocumentBody {
  const base = {
    status: 'processing',
    answerable: 'none',
    percent: 2,
    expected_at: null,
    reason: null,
    stages: [stage('receive', 'done')],
  };
  return { ...base, ...rest } as DocumentBody;
}

describe('what a watcher of a document is told', () => {
  it('is the whole state at first', () => {
    expect(progressEvents(undefined, body({}))).toEqual([
      { event: 'stage', data: stage('receive', 'done') },
      { event: 'progress', data: { percent: 2, expected_at: null } },
      { event: 'status', data: { status: 'processing', answerable: 'none' } },
    ]);
  });

  it('is then only what changed', () => {
    const before = body({ stages: [stage('receive', 'done'), stage('extract', 'running', 1)] });
    const now = body({ stages: [stage('receive', 'done'), stage('extract', 'done', 1)], percent: 22 });
    expect(progressEvents(before, now)).toEqual([
      { event: 'stage', data: stage('extract', 'done', 1) },
      { event: 'progress', data: { percent: 22, expected_at: null } },
    ]);
    expect(progressEvents(now, now)).toEqual([]);
  });

  it('ends with the ready document', () => {
    const ready = body({ status: 'ready', answerable: 'semantic', percent: 100 });
    expect(progressEvents(body({ answerable: 'semantic' }), ready).at(-1)).toEqual({
      event: 'done',
      data: ready,
    });
  });

  it('ends with the reason when the document failed', () => {
    const reason = { code: 'password-protected', message: 'The file is protected by a password.' };
    expect(progressEvents(body({}), body({ status: 'failed', reason })).at(-1)).toEqual({
      event: 'error',
      data: { ...reason, retryable: false },
    });
  });
});

describe('the percentage of a document', () => {
  const at = (progress: Partial<Record<StageBody['name'], number>>) =>
    percentOf(Object.entries(progress).map(([name, value]) => ({ name, progress: value }) as StageState));

  it('goes from 0 to 100', () => {
    expect(at({})).toBe(0);
    expect(at({ receive: 1, extract: 1, structure: 1, embed: 1, assess: 1, publish: 1 })).toBe(100);
  });

  it('grows with a stage that is under way, and reaches 100 only when all is done', () => {
    expect(at({ receive: 1, extract: 1, structure: 1, embed: 0.5 })).toBe(62);
    expect(at({ receive: 1, extract: 1, structure: 1, embed: 1, assess: 1 })).toBe(98);
  });
});
