import { createHash } from 'node:crypto';
import { DocumentStore } from '../../apps/api/src/ingestion/documents/document.store.js';
import { makePassages } from '../../apps/api/src/ingestion/passages/make-passages.js';
import { LexicalIndex } from '../../apps/api/src/rag/passages/lexical/lexical.index.js';
import type { NewPassage } from '../../apps/api/src/rag/passages/passage.js';
import { PassageStore } from '../../apps/api/src/rag/passages/passage.store.js';
import { BitscanIndex } from '../../apps/api/src/rag/passages/vectors/bitscan.index.js';
import type { Embedder } from '../../apps/api/src/rag/providers/provider.js';
import { QueryEmbedder, type TextCache } from '../../apps/api/src/rag/retrieval/query-embedder.js';
import { type RetrievalConfig, retrievalSection } from '../../apps/api/src/rag/retrieval/retrieval.config.js';
import { Retriever } from '../../apps/api/src/rag/retrieval/retriever.js';
import { loadConfig } from '#libs/config';
import { uuidv5 } from '#libs/database';
import type { Reader, TemporaryDatabase } from './temporary-database.js';

export interface LibraryDocument {
  title: string;
  collection: string | null;
  passages: NewPassage[];
}

const never = new AbortController().signal;
const BATCH = 256;

/** Documents in the product's own stores, with the product's own retrieval in front of them. */
export class Library {
  private readonly lexical = new LexicalIndex();
  private readonly vectors = new BitscanIndex();
  private readonly passages = new PassageStore(this.lexical, this.vectors);
  private readonly documents = new DocumentStore();

  constructor(
    private readonly db: TemporaryDatabase,
    readonly reader: Reader,
    private readonly embedder: Embedder,
  ) {}

  /** Stores a document without its vectors. */
  async add({ title, collection, passages }: LibraryDocument, name: string): Promise<string> {
    const { tenantId, userId } = this.reader;
    const id = uuidv5(tenantId, name);
    const key = { tenantId, documentId: id, generation: 1 };
    await this.db.tenantDb.run(tenantId, async (tx) => {
      await this.documents.insert(tx, {
        id,
        ownerId: userId,
        visibility: 'private',
        collection,
        tags: [],
        title,
        filename: 'document.txt',
        mediaType: 'text/plain',
        sizeBytes: 1,
        sha256: createHash('sha256').update(name).digest(),
      });
      await this.passages.replaceGeneration(tx, key, passages);
      const counts = { generation: 1, pageCount: null, passageCount: passages.length };
      await this.documents.change(tx, id, { lexical: counts });
    });
    return id;
  }

  /** Gives the document its vectors. */
  async embed(documentId: string): Promise<void> {
    const { tenantId } = this.reader;
    const key = { tenantId, documentId, generation: 1, model: this.embedder.model };
    for (;;) {
      const batch = await this.db.tenantDb.run(tenantId, (tx) =>
        this.passages.listUnembedded(tx, key, BATCH),
      );
      if (batch.length === 0) break;
      const vectors = await this.embedder.embed(
        batch.map(({ text }) => text),
        never,
      );
      const rows = batch.map(({ ordinal }, i) => ({ ordinal, vector: vectors[i]! }));
      await this.db.tenantDb.run(tenantId, (tx) => this.passages.saveVectors(tx, key, rows));
    }
    await this.db.tenantDb.run(tenantId, (tx) =>
      this.documents.change(tx, documentId, { semantic: { generation: 1, model: this.embedder.model } }),
    );
  }

  retriever(settings: Partial<RetrievalConfig> = {}): Retriever {
    const defaults = loadConfig({ rag: retrievalSection }, {}).rag;
    const noCache: TextCache = { wrap: (_key, load, { signal }) => load(signal) };
    const noPolicy = { execute: <T>(call: (signal: AbortSignal) => Promise<T>) => call(never) };
    const queries = new QueryEmbedder(this.embedder, noPolicy, noCache);
    return new Retriever(this.db.tenantDb, this.passages, this.lexical, this.vectors, queries, {
      ...defaults,
      embedTimeoutMs: 60_000,
      ...settings,
    });
  }
}

/** A text under a title, cut as the product cuts it. */
export function passagesOf({ title, text }: { title?: string; text: string }): NewPassage[] {
  const place = { page: null, box: null };
  return makePassages({
    blocks: [
      ...(title ? [{ kind: 'heading' as const, level: 1, text: title, ...place }] : []),
      { kind: 'paragraph' as const, text, ...place },
    ],
  });
}
