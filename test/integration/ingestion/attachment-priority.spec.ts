import { AttachmentStore } from '../../../apps/api/src/ingestion/documents/attachment.store.js';
import { ChildDocuments } from '../../../apps/api/src/ingestion/documents/child-documents.js';
import type { DocumentBody } from '../../../apps/api/src/ingestion/documents/document.dto.js';
import { DocumentsController } from '../../../apps/api/src/ingestion/documents/documents.controller.js';
import { ProcessingController } from '../../../apps/api/src/ingestion/documents/processing.controller.js';
import { Intake } from '../../../apps/api/src/ingestion/uploads/intake.js';
import { documentMaker, type Owner } from '../../support/documents.js';
import { documentProviders, ingestionApp, type IngestionApp } from '../../support/ingestion-app.js';
import { testDatabase, type TestDatabase } from '../../support/test-database.js';

let db: TestDatabase;
let app: IngestionApp;
let maker: ReturnType<typeof documentMaker>;
let owner: Owner;
const never = new AbortController().signal;

beforeAll(async () => {
  db = await testDatabase();
  maker = documentMaker(db);
  app = await ingestionApp(db, {
    controllers: [DocumentsController, ProcessingController],
    providers: documentProviders,
  });
});
afterAll(async () => {
  await app.close();
  await db.close();
});
beforeEach(async () => {
  await db.owner.query('delete from document');
  owner = await db.createTenant();
});

async function call<T = DocumentBody>(path: string, json?: object): Promise<T> {
  const response = await fetch(`${app.url}/v1/documents${path}`, {
    method: json ? 'POST' : 'GET',
    headers: { ...app.as(owner), ...(json && { 'content-type': 'application/json' }) },
    body: json && JSON.stringify(json),
  });
  expect(response.status).toBe(200);
  return (await response.json()) as T;
}
const prioritize = (id: string, priority: string) => call(`/${id}/priority`, { priority });
const priorityOf = async (id: string) => (await call(`/${id}`)).priority;

/** Reads the next document of the queue, in which there is one file. */
async function readParent(content: string) {
  const job = (await maker.jobs.claim('worker-1'))!;
  const document = await db.tenantDb.read(owner.tenantId, (tx) => maker.documents.find(tx, job.documentId));
  const { documents, jobs } = maker;
  const makers = new ChildDocuments(db.tenantDb, documents, new AttachmentStore(), jobs, app.app.get(Intake));
  const bytes = Buffer.from(content);
  const children = await makers.prepare(
    { job, document: document! },
    [{ filename: 'bill.txt', bytes }],
    never,
  );
  /** Makes it durable, and says which document it is. */
  return async () => {
    await jobs.fenced(job, (tx) => children.commit(tx));
    const { items } = await call<{ items: DocumentBody[] }>(`?parent_id=${job.documentId}`);
    return items[0]!.id;
  };
}

describe('the priority of a file inside a document', () => {
  it('is that of the document at the moment, also when it changed while the document was read', async () => {
    const mail = await maker.addDocument(owner);
    const commit = await readParent('The bill is $100.');
    await prioritize(mail, 'high');
    expect(await priorityOf(await commit())).toBe('high');
  });

  it('follows that of the document, however deep it lies', async () => {
    const mail = await maker.addDocument(owner);
    const bill = await (await readParent('The bill is $100.'))();
    const receipt = await (await readParent('Paid.'))();
    const other = await maker.addDocument(owner);
    await prioritize(mail, 'low');
    expect(await Promise.all([mail, bill, receipt, other].map(priorityOf))).toEqual([
      'low',
      'low',
      'low',
      'normal',
    ]);
  });

  it('can be changed without that of the document', async () => {
    const mail = await maker.addDocument(owner);
    const bill = await (await readParent('The bill is $100.'))();
    await prioritize(bill, 'high');
    expect([await priorityOf(mail), await priorityOf(bill)]).toEqual(['normal', 'high']);
  });
});
