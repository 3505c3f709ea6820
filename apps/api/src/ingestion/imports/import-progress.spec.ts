import type { Import } from './import.js';
import type { ItemBody } from './import.dto.js';
import { importEvents, toImportBody } from './import-progress.js';
import type { Tally } from './import.store.js';

const STARTED = new Date('2026-01-01T00:00:00Z');
const after = (seconds: number) => new Date(STARTED.getTime() + seconds * 1_000);
const batch = (rest: Partial<Import> = {}): Import => ({
  id: '019b0000-0000-7000-8000-000000000001',
  tenantId: 't',
  ownerId: 'o',
  state: 'running',
  visibility: 'private',
  collection: null,
  tags: [],
  priority: 'normal',
  isReceiving: false,
  rateSince: STARTED,
  createdAt: STARTED,
  finishedAt: null,
  ...rest,
});
const tally = (rest: Partial<Tally>): Tally => ({
  batchId: 'b',
  state: 'accepted',
  isArchive: false,
  documentStatus: 'ready',
  count: 1,
  done: 1,
  recent: 1,
  ...rest,
});
const HALF = [
  tally({ count: 4, done: 4, recent: 4 }),
  tally({ state: 'waiting', documentStatus: null, count: 3, done: 0, recent: 0 }),
  tally({ documentStatus: 'processing', count: 2, done: 0.5, recent: 0 }),
  tally({ state: 'refused', documentStatus: null, count: 1, done: 1, recent: 1 }),
];

describe('an import as people see it', () => {
  it('counts its items and documents, and foresees its end by the pace so far', () => {
    expect(toImportBody(batch(), HALF, after(50))).toMatchObject({
      state: 'running',
      items: { total: 10, waiting: 3, running: 0, accepted: 6, refused: 1, cancelled: 0 },
      documents: { ready: 4, processing: 2, queued: 0 },
      percent: 55,
      // Five in 50 s, and 4.5 to go.
      eta_seconds: 45,
    });
  });

  it.each<[string, Partial<Import>, Tally[]]>([
    [
      'nothing has come to its end',
      {},
      [tally({ state: 'waiting', documentStatus: null, done: 0, recent: 0 })],
    ],
    ['it is paused', { state: 'paused' }, HALF],
    ['it was cancelled', { state: 'cancelled' }, HALF],
    ['files still come', { isReceiving: true }, HALF],
    ['it has ended', { finishedAt: after(9) }, HALF],
    [
      'nobody knows what is in an archive',
      {},
      [...HALF, tally({ isArchive: true, state: 'running', done: 0 })],
    ],
  ])('foresees nothing when %s', (_, rest, tallies) => {
    expect(toImportBody(batch(rest), tallies, after(50)).eta_seconds).toBeNull();
  });

  it('is whole though thirds do not add up, and when there was nothing in it', () => {
    const thirds = Array.from({ length: 3 }, () => tally({ done: 1 / 3, count: 0 }));
    expect(toImportBody(batch(), [tally({ done: 0 }), ...thirds]).percent).toBe(100);
    expect(toImportBody(batch({ finishedAt: after(1) }), [])).toMatchObject({
      percent: 100,
      state: 'finished',
    });
    expect(toImportBody(batch({ state: 'cancelled', finishedAt: after(1) }), []).state).toBe('cancelled');
  });
});

describe('what a watcher is told', () => {
  const item = (ordinal: number, state: ItemBody['state'], status?: 'queued' | 'ready'): ItemBody => ({
    ordinal,
    kind: 'file',
    name: 'a',
    url: null,
    state,
    reason: null,
    document: status ? { id: '019b0000-0000-7000-8000-000000000002', status, reason: null } : null,
    repeated: false,
    size_bytes: 1,
    attempts: 0,
    settled_at: null,
  });
  const body = toImportBody(batch(), HALF, after(50));
  const events = (...views: Parameters<typeof importEvents>) =>
    importEvents(...views).map(({ event }) => event);

  it('is the present state first, then the items that come on, and the end', () => {
    const first = { body, items: [item(0, 'waiting'), item(1, 'accepted', 'queued')] };
    expect(events(undefined, first)).toEqual(['import']);
    expect(events(first, first)).toEqual([]);
    const next = {
      body: toImportBody(batch(), [tally({})], after(60)),
      items: [item(0, 'running'), item(1, 'accepted', 'ready'), item(2, 'waiting')],
    };
    expect(importEvents(first, next).slice(0, 3)).toMatchObject(
      [0, 1, 2].map((ordinal) => ({ event: 'item', data: { ordinal } })),
    );
    expect(events(first, next)).toEqual(['item', 'item', 'item', 'progress']);
    const last = { body: toImportBody(batch({ finishedAt: after(70) }), [tally({})]), items: next.items };
    expect(events(next, last)).toEqual(['import', 'done']);
    expect(events(undefined, last)).toEqual(['import', 'done']);
  });
});
