import type { Reindex, ReindexItemState } from './reindex.js';
import { CreateReindex, toReindexBody } from './reindex.dto.js';

const ORDER: Reindex = {
  id: '0199a0de-0000-7000-8000-000000000000',
  createdBy: '0199a0de-0000-7000-8000-000000000001',
  scope: { everything: true },
  from: 'structure',
  reason: null,
  state: 'running',
  createdAt: new Date('2026-01-01T00:00:00Z'),
  finishedAt: null,
};
const A_MINUTE_LATER = new Date('2026-01-01T00:01:00Z');

function body(counts: Partial<Record<ReindexItemState, number>>, rest: Partial<Reindex> = {}) {
  const tallies = Object.entries(counts).map(([state, count]) => ({
    reindexId: ORDER.id,
    state: state as ReindexItemState,
    count,
  }));
  return toReindexBody({ ...ORDER, ...rest }, tallies, A_MINUTE_LATER);
}

describe('an order to make documents anew, as people see it', () => {
  it('is as far as its documents have ended, whichever way, and takes on as it did so far', () => {
    expect(body({ switched: 2, failed: 1, waiting: 5, running: 1 })).toMatchObject({
      items: { total: 9, switched: 2, failed: 1, waiting: 5, running: 1, skipped: 0, rolled_back: 0 },
      percent: 33,
      eta_seconds: 120,
    });
  });

  it('says nothing of the time that it will take before one document has ended, and when it has ended itself', () => {
    expect(body({ waiting: 3 })).toMatchObject({ percent: 0, eta_seconds: null });
    const finishedAt = A_MINUTE_LATER;
    expect(body({ switched: 3 }, { state: 'finished', finishedAt })).toMatchObject({
      percent: 100,
      eta_seconds: null,
      finished_at: '2026-01-01T00:01:00.000Z',
    });
  });

  it('of no documents is done', () => {
    expect(body({})).toMatchObject({ items: { total: 0 }, percent: 100 });
  });
});

describe('what can be ordered', () => {
  it.each([
    [{ document_ids: ['0199a0de-0000-7000-8000-000000000000'] }],
    [{ collection: 'plans' }],
    [{ everything: true }],
  ])('is %j, from the cutting into passages on unless something else is said', (scope) => {
    expect(CreateReindex.parse({ scope })).toEqual({ scope, from: 'structure' });
  });

  it.each([
    [{}],
    [{ scope: {} }],
    [{ scope: { document_ids: [] } }],
    [{ scope: { document_ids: Array(1_001).fill('0199a0de-0000-7000-8000-000000000000') } }],
    [{ scope: { everything: false } }],
    [{ scope: { everything: true, collection: 'plans' } }],
    [{ scope: { everything: true }, from: 'assess' }],
  ])('is nothing else: case %#', (order) => {
    expect(CreateReindex.safeParse(order).success).toBe(false);
  });
});
