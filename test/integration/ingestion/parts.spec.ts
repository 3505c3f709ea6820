import { gunzipSync, gzipSync } from 'node:zlib';
import { PolicyRegistry } from '#libs/resilience';
import type { ChildDocuments } from '../../../apps/api/src/ingestion/documents/child-documents.js';
import {
  type ExtractedPart,
  type ExtractionPlan,
  Extractor,
  type PartRange,
  type SourceFile,
} from '../../../apps/api/src/ingestion/extraction/extractor.js';
import { Extractors } from '../../../apps/api/src/ingestion/extraction/extractors.js';
import { PartStore } from '../../../apps/api/src/ingestion/extraction/part.store.js';
import type { SourceFiles } from '../../../apps/api/src/ingestion/extraction/source-files.js';
import { InsightStore } from '../../../apps/api/src/ingestion/facts/insight.store.js';
import { GenerationStore } from '../../../apps/api/src/ingestion/generations/generation.store.js';
import { PassageCopy } from '../../../apps/api/src/ingestion/generations/passage-copy.js';
import { type ClaimedJob, LeaseLost } from '../../../apps/api/src/ingestion/jobs/job.js';
import type { Block, SandboxedParser } from '../../../apps/api/src/ingestion/parsing/index.js';
import { makePassages } from '../../../apps/api/src/ingestion/passages/make-passages.js';
import {
  type StructureOptions,
  type StructureState,
  structurePart,
} from '../../../apps/api/src/ingestion/passages/structure-part.js';
import type { StageOutcome, Task } from '../../../apps/api/src/ingestion/workflow/stage-work.js';
import { StageStore } from '../../../apps/api/src/ingestion/workflow/stage.store.js';
import { ExtractStage } from '../../../apps/api/src/ingestion/workflow/stages/extract.stage.js';
import { StructureStage } from '../../../apps/api/src/ingestion/workflow/stages/structure.stage.js';
import { documentMaker, type Owner, workerConfig } from '../../support/documents.js';
import { passageMaker } from '../../support/passages.js';
import { testDatabase, type TestDatabase } from '../../support/test-database.js';

const PARTS = 6;
/** Each becomes a passage of its own. */
const BLOCKS_IN_PART = 120;
const never = new AbortController().signal;

let db: TestDatabase;
let owner: Owner;
let maker: ReturnType<typeof documentMaker>;
let task: Task;
let extractor: BookExtractor;
let parser: ParserInProcess;
const parts = new PartStore();
const stages = new StageStore();

/** Six parts of 120 paragraphs. */
class BookExtractor extends Extractor {
  plans = 0;
  readonly partsRead: number[] = [];
  reading = 0;
  most = 0;
  beforeRead: (part: number, signal: AbortSignal) => Promise<void> = async () => undefined;

  async plan(file: SourceFile): Promise<ExtractionPlan> {
    this.plans += 1;
    const ranges = Array.from({ length: PARTS }, (_, i) => ({ from: i + 1, to: i + 1 }));
    return {
      ...{ mediaType: file.mediaType, format: 'pdf', title: null, pageCount: PARTS, durationMs: null },
      ...{ unit: 'pages', parts: ranges },
    };
  }

  async read(
    _file: SourceFile,
    _plan: ExtractionPlan,
    { from }: PartRange,
    signal: AbortSignal,
  ): Promise<ExtractedPart> {
    this.most = Math.max(this.most, (this.reading += 1));
    try {
      await this.beforeRead(from, signal);
      this.partsRead.push(from);
      return { blocks: blocksOf(from), warnings: from === 2 ? [{ code: 'page-without-text', page: 2 }] : [] };
    } finally {
      this.reading -= 1;
    }
  }
}

function blocksOf(part: number): Block[] {
  return Array.from({ length: BLOCKS_IN_PART }, (_, i) => ({
    ...{ kind: 'paragraph', page: part, box: null },
    text: `On page ${part} the paragraph ${i} says ${'what the plan pays for '.repeat(12)}care.`,
  }));
}

/** What a parser process does, without the process. */
class ParserInProcess {
  calls = 0;
  crashAt = Infinity;

  async structure(state: Buffer | null, part: Buffer, options: StructureOptions) {
    if ((this.calls += 1) >= this.crashAt) throw new Error('the worker died');
    const read = <T>(packed: Buffer) => JSON.parse(gunzipSync(packed).toString()) as T;
    const step = structurePart(state && read<StructureState>(state), read(part), options);
    return {
      batches: step.batches,
      state: gzipSync(JSON.stringify(step.state)),
      passages: step.state.maker.ordinal,
      language: 'en',
    };
  }
}

beforeAll(async () => {
  db = await testDatabase();
});
afterAll(() => db.close());
beforeEach(async () => {
  await db.owner.query('delete from document');
  owner = await db.createTenant();
  maker = documentMaker(db);
  extractor = new BookExtractor();
  parser = new ParserInProcess();
  task = await newTask();
});

async function newTask(): Promise<Task> {
  const id = await maker.addDocument(owner, { mediaType: 'application/pdf' });
  const job = (await maker.jobs.claim('worker-1'))!;
  const document = await db.tenantDb.read(owner.tenantId, (tx) => maker.documents.find(tx, id));
  const leftovers = { parts: true, passages: true, password: true };
  return { job, document: document!, leftovers, alive: () => undefined };
}

function extraction(partConcurrency = 2): ExtractStage {
  const policies = new PolicyRegistry();
  policies.define('parser', { attemptTimeoutMs: 60_000 });
  const files = {
    find: async () => ({ path: '/nowhere', filename: 'a.pdf', mediaType: 'application/pdf', sizeBytes: 1 }),
  };
  const none = { warnings: [], commit: async () => undefined, discard: async () => undefined };
  return new ExtractStage(
    files as unknown as SourceFiles,
    { prepare: async () => none } as unknown as ChildDocuments,
    new Extractors(extractor),
    parts,
    maker.jobs,
    stages,
    policies,
    workerConfig({ partConcurrency }),
  );
}

const structuring = () => {
  const { passages } = passageMaker(db);
  const generations = new GenerationStore(passages, new InsightStore(), { retentionHours: 72 });
  return new StructureStage(
    maker.jobs,
    stages,
    parts,
    passages,
    generations,
    new PassageCopy(maker.jobs, stages, passages, generations),
    parser as unknown as SandboxedParser,
  );
};

const commit = (outcome: StageOutcome, { job }: Task = task) =>
  maker.jobs.fenced(job, async (tx) => {
    await maker.documents.change(tx, job.documentId, outcome.document ?? {});
    await outcome.keep?.(tx);
    await outcome.commit?.(tx);
  });
const query = async (sql: string, parameters: unknown[] = [task.document.id]) =>
  (await db.owner.query(sql, parameters)).rows;
const doneParts = async () =>
  (await query('select ordinal from job_part where document_id = $1 order by ordinal')).map(
    (row) => row.ordinal,
  );
const textsOf = async (generation: number) =>
  (
    await query('select text from passage where document_id = $1 and generation = $2 order by ordinal', [
      task.document.id,
      generation,
    ])
  ).map((row) => row.text);

describe('the reading of a document in parts', () => {
  it('reads each part once, no more at a time than allowed, and sums up what was found', async () => {
    const outcome = await extraction(3).run(task, never);
    expect(extractor.partsRead.toSorted()).toEqual([1, 2, 3, 4, 5, 6]);
    expect(extractor.most).toBe(3);
    expect(outcome.detail).toMatchObject({ parts: 6, pages: 6, blocks: 6 * BLOCKS_IN_PART, warnings: 1 });
    expect(outcome.evidence).toMatchObject({ pages: 6, pagesWithoutText: 1, garbledRatio: 0 });
    expect(await doneParts()).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it('goes on with the missing parts after a crash, by the plan that was made first', async () => {
    extractor.beforeRead = async (part) => {
      if (part === 4) throw new Error('the worker died');
    };
    await expect(extraction(1).run(task, never)).rejects.toThrow('the worker died');
    expect(await doneParts()).toEqual([0, 1, 2]);

    extractor.beforeRead = async () => undefined;
    await extraction(1).run(task, never);
    expect(extractor.partsRead).toEqual([1, 2, 3, 4, 5, 6]);
    expect(extractor.plans).toBe(1);
  });

  it('forgives its attempts with every part, so that a long file may be cut off often', async () => {
    await query(`update job_stage set attempts = 3 where document_id = $1 and name = 'extract'`);
    await query(`update job set lost_leases = 4 where document_id = $1`);
    task.job.lostLeases = 4;
    await extraction().run(task, never);
    const [stage] = await query(
      `select attempts, progress from job_stage where document_id = $1 and name = 'extract'`,
    );
    expect(stage).toMatchObject({ attempts: 1 });
    expect(stage.progress).toBeCloseTo(1);
    expect(await query('select lost_leases from job where document_id = $1')).toEqual([{ lost_leases: 0 }]);
  });

  it('stops at once when it is cancelled, with what was durable by then', async () => {
    const leaving = new AbortController();
    extractor.beforeRead = async (part, signal) => {
      if (part <= 2) return;
      leaving.abort(new Error('cancelled'));
      await new Promise((_, reject) => {
        const leave = () => reject(signal.reason as Error);
        if (signal.aborted) leave();
        signal.addEventListener('abort', leave);
      });
    };
    await expect(extraction(1).run(task, leaving.signal)).rejects.toThrow('cancelled');
    expect(await doneParts()).toEqual([0, 1]);
  });

  it('writes nothing once another worker has the job', async () => {
    let other: ClaimedJob | undefined;
    extractor.beforeRead = async (part) => {
      if (part !== 3 || other) return;
      await maker.jobs.reclaim(['worker-1']);
      other = await maker.jobs.claim('worker-2');
    };
    await expect(extraction(1).run(task, never)).rejects.toThrow(LeaseLost);
    expect(await doneParts()).toEqual([0, 1]);
    await extraction(1).run({ ...task, job: other! }, never);
    expect(await doneParts()).toEqual([0, 1, 2, 3, 4, 5]);
  });
});

describe('the passages of a document in parts', () => {
  const expected = () =>
    makePassages({ blocks: Array.from({ length: PARTS }, (_, i) => blocksOf(i + 1)).flat() }).map(
      ({ text }) => text,
    );

  beforeEach(async () => commit(await extraction().run(task, never)));

  it('are those of the whole document, and nobody sees one before the last one is there', async () => {
    const outcome = await structuring().run(task, never);
    expect((await textsOf(1)).length).toBe(2 * 256);
    expect(await query('select live_generation from document where id = $1')).toEqual([
      { live_generation: null },
    ]);

    await commit(outcome);
    expect(await textsOf(1)).toEqual(expected());
    expect(
      await query('select live_generation, passage_count, page_count from document where id = $1'),
    ).toEqual([{ live_generation: 1, passage_count: expected().length, page_count: PARTS }]);
    const [row] = await query(
      'select count(*)::int as blocks from posting where document_id = $1 and term = $2',
      [task.document.id, 'care'],
    );
    expect(row.blocks).toBe(Math.ceil(expected().length / 256));
  });

  it('go on behind the last checkpoint after a crash, and come out the same', async () => {
    parser.crashAt = 5;
    await expect(structuring().run(task, never)).rejects.toThrow('the worker died');
    expect((await textsOf(1)).length).toBe(256);

    parser = new ParserInProcess();
    await commit(await structuring().run(task, never));
    expect(parser.calls).toBeLessThan(PARTS);
    expect(await textsOf(1)).toEqual(expected());
  });

  it('stand beside the generation that is live until all of the document is made anew', async () => {
    await commit(await structuring().run(task, never));
    await query('update job set generation = 2 where document_id = $1');
    const document = { ...task.document, liveGeneration: 1 };
    const again: Task = { ...task, document, job: { ...task.job, generation: 2 } };
    await commit(await structuring().run(again, never), again);
    expect(await textsOf(1)).toEqual(expected());
    expect(await textsOf(2)).toEqual(expected());
    expect(await query('select live_generation from document where id = $1')).toEqual([
      { live_generation: 1 },
    ]);
    expect(
      await query('select generation, passage_count from document_generation where document_id = $1'),
    ).toEqual([{ generation: 2, passage_count: expected().length }]);
  });

  it('begin anew when a checkpoint is of another generation', async () => {
    parser.crashAt = 4;
    await expect(structuring().run(task, never)).rejects.toThrow('the worker died');
    parser = new ParserInProcess();
    const again: Task = { ...task, job: { ...task.job, generation: 2 } };
    await commit(await structuring().run(again, never), again);
    expect(parser.calls).toBe(PARTS);
    expect(await textsOf(2)).toEqual(expected());
  });
});
