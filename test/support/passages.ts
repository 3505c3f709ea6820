import { LexicalIndex } from '../../apps/api/src/rag/passages/lexical/lexical.index.js';
import type { NewPassage } from '../../apps/api/src/rag/passages/passage.js';
import { passageId, PassageStore } from '../../apps/api/src/rag/passages/passage.store.js';
import { BitscanIndex } from '../../apps/api/src/rag/passages/vectors/bitscan.index.js';
import type { VectorIndex } from '../../apps/api/src/rag/passages/vectors/vector-index.js';
import { Embedder } from '../../apps/api/src/rag/providers/provider.js';
import type { NewDocument } from '../../apps/api/src/ingestion/documents/document.js';
import { documentMaker, type Owner } from './documents.js';
import type { TestDatabase } from './test-database.js';

export const prose = (text: string, ordinal: number, headingPath: string[] = []): NewPassage => ({
  ordinal,
  kind: 'prose',
  text,
  headingPath,
  page: ordinal + 1,
  box: { x: 0.1, y: 0.2, width: 0.5, height: 0.05 },
  row: null,
});

/** Documents with passages, as ingestion leaves them when they are answerable. */
export function passageMaker(
  db: TestDatabase,
  embedder: Embedder = new WordEmbedder(),
  vectors: VectorIndex = new BitscanIndex(),
) {
  const lexical = new LexicalIndex();
  const passages = new PassageStore(lexical, vectors);
  const { documents, addDocument } = documentMaker(db);

  const publishLexical = async (
    owner: Owner,
    documentId: string,
    generation: number,
    given: NewPassage[],
  ) => {
    await db.tenantDb.run(owner.tenantId, async (tx) => {
      const key = { ...owner, documentId, generation };
      await passages.replaceGeneration(tx, key, given);
      await tx.query(`delete from passage where document_id = $1 and generation <> $2`, [
        documentId,
        generation,
      ]);
      const counts = { generation, pageCount: null, passageCount: given.length };
      await documents.change(tx, documentId, { lexical: counts });
    });
  };
  const embed = async (owner: Owner, documentId: string, generation: number) => {
    const key = { tenantId: owner.tenantId, documentId, generation, model: embedder.model };
    await db.tenantDb.run(owner.tenantId, async (tx) => {
      const waiting = await passages.listUnembedded(tx, key, 10_000);
      const made = await embedder.embed(
        waiting.map(({ text }) => text),
        new AbortController().signal,
      );
      const rows = waiting.map(({ ordinal }, i) => ({ ordinal, vector: made[i]! }));
      await passages.saveVectors(tx, key, rows);
    });
  };
  const publishSemantic = async (owner: Owner, documentId: string, generation: number) => {
    await embed(owner, documentId, generation);
    await db.tenantDb.run(owner.tenantId, (tx) =>
      documents.change(tx, documentId, { semantic: { generation, model: embedder.model } }),
    );
  };
  /** Answerable by words, and by meaning too unless `semantic` is false. */
  const add = async (
    owner: Owner,
    texts: (string | NewPassage)[],
    { semantic = true, ...document }: Partial<NewDocument> & { semantic?: boolean } = {},
  ): Promise<string> => {
    const id = await addDocument(owner, document);
    const made = texts.map((text, i) => (typeof text === 'string' ? prose(text, i) : text));
    await publishLexical(owner, id, 1, made);
    if (semantic) await publishSemantic(owner, id, 1);
    return id;
  };
  return { lexical, vectors, passages, addDocument, add, publishLexical, embed, publishSemantic, passageId };
}

/** Says that texts are alike when they share words, or words that mean the same. */
export class WordEmbedder extends Embedder {
  readonly model: string = 'words-1';
  readonly dimensions: number = 256;

  embed(texts: readonly string[], signal: AbortSignal): Promise<Float32Array[]> {
    return signal.aborted
      ? Promise.reject(signal.reason as Error)
      : Promise.resolve(texts.map((text) => this.vectorOf(text)));
  }

  private vectorOf(text: string): Float32Array {
    // A constant part, as real embeddings have one: nothing is quite unlike.
    const vector = new Float32Array(this.dimensions).fill(0.02);
    for (const word of text.toLowerCase().match(/\p{L}+/gu) ?? []) {
      const meaning = SAME.get(word) ?? word;
      for (let i = 0; i < 8; i++) vector[hash(`${meaning}${i}`) % this.dimensions]! += i % 2 ? 1 : -1;
    }
    const length = Math.hypot(...vector);
    return vector.map((x) => x / length);
  }
}

const SAME = new Map([
  ['physician', 'doctor'],
  ['automobile', 'car'],
  ['medication', 'drug'],
]);

/** FNV-1a. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (const character of text) value = Math.imul(value ^ character.codePointAt(0)!, 0x01000193);
  return value >>> 0;
}
