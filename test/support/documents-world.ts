import type { DocumentBody } from '../../apps/api/src/ingestion/documents/document.dto.js';
import { DocumentStore } from '../../apps/api/src/ingestion/documents/document.store.js';
import { DocumentsController } from '../../apps/api/src/ingestion/documents/documents.controller.js';
import { ProcessingController } from '../../apps/api/src/ingestion/documents/processing.controller.js';
import { notifyDocumentChanged } from '../../apps/api/src/ingestion/jobs/notifications.js';
import { UploadService } from '../../apps/api/src/ingestion/uploads/upload.service.js';
import { UploadsController } from '../../apps/api/src/ingestion/uploads/uploads.controller.js';
import { PassageStore } from '../../apps/api/src/rag/index.js';
import type { Owner } from './documents.js';
import { documentProviders, ingestionApp, type IngestionApp } from './ingestion-app.js';
import { testDatabase, type TestDatabase } from './test-database.js';

/** The routes of documents, without a worker: a person with documents, a colleague, and somebody of another tenant. */
export class DocumentsWorld {
  owner!: Owner;
  colleague!: Owner;
  stranger!: Owner;
  readonly documents = new DocumentStore();

  private constructor(
    readonly db: TestDatabase,
    readonly app: IngestionApp,
  ) {}

  static async start(): Promise<DocumentsWorld> {
    const db = await testDatabase();
    const app = await ingestionApp(db, {
      controllers: [UploadsController, DocumentsController, ProcessingController],
      providers: [UploadService, ...documentProviders],
    });
    return new DocumentsWorld(db, app);
  }

  /** Before each test. */
  async begin(): Promise<void> {
    await this.db.owner.query('delete from document');
    await this.app.removeFiles();
    this.owner = await this.db.createTenant();
    this.stranger = await this.db.createTenant();
    this.colleague = { tenantId: this.owner.tenantId, userId: this.stranger.userId };
    await this.db.owner.query(
      `insert into app_user (tenant_id, id, email, password_hash, role) values ($1, $2, $3, 'none', 'member')`,
      [this.owner.tenantId, this.colleague.userId, `${this.owner.tenantId}@example.com`],
    );
  }

  async close(): Promise<void> {
    await this.app.close();
    await this.db.close();
  }

  async call<T = DocumentBody>(
    method: string,
    path: string,
    as: Owner = this.owner,
    role: 'member' | 'manager' = 'member',
  ) {
    const url = `${this.app.url}/v1/documents${path}`;
    const response = await fetch(url, { method, headers: this.app.as(as, role) });
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      text,
      body: (text ? JSON.parse(text) : null) as T,
    };
  }

  get<T = DocumentBody>(path: string, as?: Owner) {
    return this.call<T>('GET', path, as);
  }

  async upload(
    text: string,
    { filename = 'plan.txt', ...fields }: Record<string, string> = {},
    as: Owner = this.owner,
  ): Promise<DocumentBody> {
    const body = new FormData();
    body.append('file', new Blob([text]), filename);
    for (const [name, value] of Object.entries(fields)) body.append(name, value);
    const headers = this.app.as(as, 'manager');
    const response = await fetch(`${this.app.url}/v1/documents`, { method: 'POST', body, headers });
    return (await response.json()) as DocumentBody;
  }

  /** As the stages of a worker would. */
  async change(id: string, work: (tx: Parameters<DocumentStore['find']>[0]) => Promise<unknown>) {
    await this.db.tenantDb.run(this.owner.tenantId, async (tx) => {
      await work(tx);
      await notifyDocumentChanged(tx, id);
    });
  }

  async structure(id: string, texts: string[]): Promise<void> {
    const passages = texts.map((text, ordinal) => ({
      ordinal,
      kind: 'prose' as const,
      text,
      headingPath: ['Benefits'],
      page: 1,
      box: null,
      row: null,
    }));
    await this.change(id, async (tx) => {
      const key = { tenantId: this.owner.tenantId, documentId: id, generation: 1 };
      await this.app.app.get(PassageStore).replaceGeneration(tx, key, passages);
      await this.documents.change(tx, id, {
        lexical: { generation: 1, pageCount: 1, passageCount: texts.length },
      });
    });
  }
}
