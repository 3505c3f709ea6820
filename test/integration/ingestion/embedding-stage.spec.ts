import { jest } from '@jest/globals';
import { TransientFailure } from '#libs/errors';
import { DocumentsService } from '../../../apps/api/src/ingestion/documents/documents.service.js';
import { ProcessingService } from '../../../apps/api/src/ingestion/documents/processing.service.js';
import { EmbedderMisbehaved } from '../../../apps/api/src/rag/index.js';
import { planText } from '../../../bench/plan-text.js';
import { IngestionWorld } from '../../support/ingestion-world.js';

// Parser processes and many steps: seconds on a busy machine.
jest.setTimeout(30_000);

let world: IngestionWorld;
beforeAll(async () => {
  world = await IngestionWorld.start();
});
afterAll(() => world.close());
beforeEach(() => world.begin());
afterEach(() => world.end());

describe('embedding', () => {
  it('goes on where it was interrupted, and computes no vector twice', async () => {
    const reached = Promise.withResolvers<void>();
    const hold = Promise.withResolvers<void>();
    world.embedder.beforeBatch = async (batch) => {
      if (batch !== 2) return;
      reached.resolve();
      await hold.promise;
      throw new Error('the worker was stopped');
    };
    const id = await world.upload(planText(4, 40));
    await reached.promise;
    const closing = world.stopProgram();
    hold.resolve();
    await closing;
    expect(world.embedder.embedded).toHaveLength(16);

    world.embedder.beforeBatch = async () => undefined;
    await world.startProgram();
    expect(await world.settled(id)).toMatchObject({ status: 'ready', answerable: 'semantic' });
    expect(world.embedder.embedded).toHaveLength(40);
    expect(new Set(world.embedder.embedded).size).toBe(40);
    expect(await world.rowsOf('passage_vector')).toBe(40);
  });

  it('that fails again and again fails the document, which stays answerable by its words', async () => {
    world.embedder.beforeBatch = async () => {
      throw new Error('the model does not work');
    };
    const id = await world.upload(planText(5, 3));
    expect(await world.settled(id)).toMatchObject({
      status: 'failed',
      answerable: 'lexical',
      reason: { code: 'attempts-exhausted' },
    });

    world.embedder.beforeBatch = async () => undefined;
    await world.get(ProcessingService).retry(world.principal, id, undefined, undefined);
    expect(await world.settled(id)).toMatchObject({ status: 'ready', answerable: 'semantic', reason: null });
  });

  it('that lacks what it needs waits for it, however long that takes', async () => {
    let failures = 0;
    world.embedder.beforeBatch = async () => {
      if (++failures <= 10) throw new TransientFailure('the model is away', { retryAfterMs: 10 });
    };
    const id = await world.upload(planText(8, 3));
    expect(await world.settled(id)).toMatchObject({ status: 'ready', answerable: 'semantic' });
    expect(failures).toBe(11);
  });

  it('leaves out the passages that the model refuses, finds them with few calls, and says which', async () => {
    world.embedder.refused = /^Section 21\n/;
    const id = await world.upload(planText(9, 40));
    const document = await world.settled(id);
    const passage = (await world.passagesOf(id))[20];
    expect(document).toMatchObject({
      status: 'ready',
      answerable: 'semantic',
      assessment: {
        passages: 40,
        warnings: ['passages-without-vector'],
        passages_without_vector: [passage!.id],
      },
    });
    expect(await world.rowsOf('passage_vector')).toBe(39);
    // Three batches of at most 16, one of them halved down to one passage.
    expect(world.embedder.calls).toBeLessThanOrEqual(3 + 2 * Math.log2(16));
  });

  it('does not go on when the model refuses everything; the document stays answerable by its words', async () => {
    world.embedder.refused = /./;
    const id = await world.upload(planText(10, 40));
    expect(await world.settled(id)).toMatchObject({
      status: 'failed',
      answerable: 'lexical',
      reason: { code: 'embedding-refused' },
    });
    expect(await world.rowsOf('passage_vector')).toBe(0);
  });

  it('waits for a model that gives useless vectors, stores none of them, and says so', async () => {
    let isMended = false;
    world.embedder.beforeBatch = async () => {
      if (!isMended) throw new EmbedderMisbehaved('fake', 'wrong-dimension');
    };
    const id = await world.upload(planText(11, 3));
    const waiting = await world.until(id, ({ stages }) =>
      stages.some(({ name, detail }) => name === 'embed' && detail !== null),
    );
    expect(waiting).toMatchObject({ answerable: 'lexical' });
    expect(waiting.stages.find(({ name }) => name === 'embed')).toMatchObject({
      status: 'pending',
      attempts: 0,
      detail: { reason: 'embedder-misbehaved' },
    });
    expect(await world.rowsOf('passage_vector')).toBe(0);
    isMended = true;
    expect(await world.settled(id)).toMatchObject({ status: 'ready', answerable: 'semantic' });
  });

  it('writes nothing more once the document was deleted', async () => {
    const reached = Promise.withResolvers<void>();
    const hold = Promise.withResolvers<void>();
    world.embedder.beforeBatch = async () => {
      reached.resolve();
      await hold.promise;
    };
    const id = await world.upload(planText(6, 3));
    await reached.promise;
    await world.get(DocumentsService).delete(world.principal, id);
    hold.resolve();
    const next = await world.upload(planText(7, 3));
    await world.settled(next);
    for (const [table, count] of [
      ['document', 1],
      ['job', 1],
      ['passage', 3],
      ['passage_vector', 3],
    ] as const)
      expect([table, await world.rowsOf(table)]).toEqual([table, count]);
  });
});
