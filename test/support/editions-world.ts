import type { Principal } from '#libs/auth';
import { DocumentStore } from '../../apps/api/src/ingestion/documents/document.store.js';
import { ProcessingService } from '../../apps/api/src/ingestion/documents/processing.service.js';
import { InsightStore } from '../../apps/api/src/ingestion/facts/insight.store.js';
import { LeaseLost } from '../../apps/api/src/ingestion/jobs/job.js';
import { JobStore } from '../../apps/api/src/ingestion/jobs/job.store.js';
import type { StageName } from '../../apps/api/src/ingestion/workflow/ingestion-stages.js';
import { JobRunner } from '../../apps/api/src/ingestion/workflow/job-runner.js';
import { type StageWork, StageWorks } from '../../apps/api/src/ingestion/workflow/stage-work.js';
import { documentMaker, type Owner } from './documents.js';
import { type Book, generationWorld } from './generation-world.js';
import { WordEmbedder } from './passages.js';
import { testDatabase, type TestDatabase } from './test-database.js';

const never = new AbortController().signal;

class ScriptedEmbedder extends WordEmbedder {
  beforeBatch: () => Promise<void> = async () => undefined;
  override async embed(texts: readonly string[], signal: AbortSignal) {
    if (texts[0]!.startsWith('Edition')) await this.beforeBatch();
    return super.embed(texts, signal);
  }
}

/** What is seen of a document of which all is there, in one edition. */
export const whole = (edition: string, passages: number) => ({
  ...{ editions: [edition], passages, withVector: passages, answerable: 'semantic' },
  ...{ counted: passages, assessed: passages, insights: 1 },
});
export const OLD = whole('alpha', 36);
export const NEW = whole('beta', 24);

/** A ready document in its first edition, and what is seen of it while it is made anew in others. */
export class EditionsWorld {
  id!: string;
  owner!: Owner;
  embedder!: ScriptedEmbedder;
  private world!: Awaited<ReturnType<typeof generationWorld>>;

  private constructor(readonly db: TestDatabase) {}

  static async start(): Promise<EditionsWorld> {
    return new EditionsWorld(await testDatabase());
  }

  /** Before each test. */
  async begin(): Promise<void> {
    await this.db.owner.query('delete from document');
    this.owner = await this.db.createTenant();
    this.embedder = new ScriptedEmbedder();
    await this.startProgram();
    this.id = await documentMaker(this.db).addDocument(this.owner);
    if ((await this.work()) !== 'done') throw new Error('The first edition could not be made');
  }

  close(): Promise<void> {
    return this.db.close();
  }

  async startProgram(options: { retentionHours?: number } = {}): Promise<void> {
    this.world = await generationWorld(this.db, { embedder: this.embedder, ...options });
  }

  stopProgram(): Promise<void> {
    return this.world.module.close();
  }

  get book(): Book {
    return this.world.book;
  }

  get principal(): Principal {
    return { ...this.owner, role: 'member', via: 'session', credentialId: 'test' };
  }

  get<T>(type: abstract new (...args: never[]) => T): T {
    return this.world.module.get<T>(type, { strict: false });
  }

  async query(sql: string, parameters: unknown[] = [this.id]) {
    return (await this.db.owner.query(sql, parameters)).rows;
  }

  async generationsOf(table: string): Promise<number[]> {
    const sql = `select distinct generation from ${table} where document_id = $1 order by 1`;
    return (await this.query(sql)).map((row) => row.generation);
  }

  /** Takes the job that is queued, as a worker does, and sees it to its end. */
  async work(runner = this.get(JobRunner), lost: AbortSignal = never) {
    for (;;) {
      const job = await this.get(JobStore).claim('worker-1');
      if (job) return runner.run(job, lost);
    }
  }

  retry(fromStage: StageName) {
    return this.get(ProcessingService).retry(this.principal, this.id, { fromStage }, undefined);
  }

  rollBack() {
    return this.get(ProcessingService).rollBack(this.principal, this.id);
  }

  nextEdition(edition = 'beta', paragraphs = 8): void {
    Object.assign(this.book, { edition, paragraphs });
  }

  /** What a reader sees in one moment: the passages that a question finds, and what the document says of itself. */
  async seen() {
    const question = { reader: this.owner, query: 'the plan pays for care', limit: 200 };
    const { tenantDb } = this.db;
    const [{ hits }, document, insight] = await Promise.all([
      this.world.retriever.retrieve(question, never),
      tenantDb.read(this.owner.tenantId, (tx) => this.get(DocumentStore).find(tx, this.id)),
      tenantDb.read(this.owner.tenantId, (tx) => this.get(InsightStore).listLive(tx, [this.id])),
    ]);
    const editions = new Set(hits.map(({ text }) => /^Edition (\w+)/.exec(text)![1]));
    return {
      editions: [...editions],
      passages: hits.length,
      withVector: hits.filter(({ semanticScore }) => semanticScore !== null).length,
      answerable: document!.answerable,
      counted: document!.passageCount,
      assessed: document!.assessment?.passages,
      insights: insight.length,
    };
  }

  /** A runner with one stage that is not quite as it is. */
  runnerWith(name: StageName, changed: (real: StageWork) => StageWork): JobRunner {
    const { works } = this.get(StageWorks);
    const stageWorks = { works: { ...works, [name]: changed(works[name]) } };
    return Object.create(this.get(JobRunner), { stageWorks: { value: stageWorks } }) as JobRunner;
  }

  /** Dies in the stage, before its work or when all of it is done but the commit. */
  dyingIn(name: StageName, when: 'before' | 'in the commit'): { runner: JobRunner; lost: AbortSignal } {
    const lost = new AbortController();
    const die = (job: { documentId: string }) => {
      lost.abort(new LeaseLost(job));
      throw lost.signal.reason;
    };
    const runner = this.runnerWith(name, (real) => ({
      async run(task, signal) {
        if (when === 'before') die(task.job);
        const { commit, ...outcome } = await real.run(task, signal);
        return { ...outcome, commit: async (tx) => die((await commit?.(tx), task.job)) };
      },
    }));
    return { runner, lost: lost.signal };
  }
}
