import { randomBytes } from 'node:crypto';
import { documentId, type NewDocument } from '../../apps/api/src/ingestion/documents/document.js';
import type { WorkerConfig } from '../../apps/api/src/ingestion/ingestion.config.js';
import { DocumentStore } from '../../apps/api/src/ingestion/documents/document.store.js';
import { JobStore } from '../../apps/api/src/ingestion/jobs/job.store.js';
import { gateSection } from '../../apps/api/src/ingestion/workflow/gates/index.js';
import { STAGE_NAMES } from '../../apps/api/src/ingestion/workflow/ingestion-stages.js';
import type { TestDatabase } from './test-database.js';

export interface Owner {
  tenantId: string;
  userId: string;
}

export function workerConfig(rest: Partial<WorkerConfig> = {}): WorkerConfig {
  return {
    concurrency: 2,
    partConcurrency: 2,
    pollMs: 200,
    leaseMs: 30_000,
    retryDelayMs: 10,
    checkpointDelayMs: 100,
    maxAttempts: 3,
    maxCrashes: 5,
    stuckAfterMs: 300_000,
    ...rest,
  };
}

/** As it is unless somebody says otherwise. */
export const gateConfig = gateSection.schema.parse({});

/** Puts documents into the database as an upload does, without a file. */
export function documentMaker(db: TestDatabase, config = workerConfig()) {
  const documents = new DocumentStore();
  const jobs = new JobStore(db.tenantDb, config);

  const addDocument = async (owner: Owner, rest: Partial<NewDocument> = {}): Promise<string> => {
    const sha256 = rest.sha256 ?? randomBytes(32);
    const id = documentId(owner, sha256);
    await db.tenantDb.run(owner.tenantId, async (tx) => {
      await documents.insert(tx, {
        id,
        ownerId: owner.userId,
        visibility: 'private',
        collection: null,
        tags: [],
        title: 'Plan',
        filename: 'plan.txt',
        mediaType: 'text/plain',
        sizeBytes: 5,
        sha256,
        ...rest,
      });
      await jobs.enqueue(tx, { documentId: id, correlationId: `correlation-${id}` }, STAGE_NAMES);
    });
    return id;
  };
  return { documents, jobs, addDocument };
}
