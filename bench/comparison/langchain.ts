/**
 * What a script of a few lines does with LangChain: read, split, embed, store. Run as a process of its own by
 * `ingest-comparison.ts`, so that its memory can be told. Prints one line of JSON.
 * `node langchain.js memory|postgres FOLDER EMBEDDER_URL DIMENSIONS DATABASE_URL`
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MemoryVectorStore } from '@langchain/classic/vectorstores/memory';
import { Document } from '@langchain/core/documents';
import { OpenAIEmbeddings } from '@langchain/openai';
import { RecursiveCharacterTextSplitter } from '@langchain/textsplitters';
import { Client } from 'pg';

/** About as long as our passages of at most 90 words. */
const CHUNK_CHARACTERS = 550;
/** As many as our embedding stage sends at once. */
const BATCH = 16;

/** Files at the same time, as many as we have uploaders. */
const LANES = 8;

const [store, folder = '.', embedderUrl, dimensions, databaseUrl] = process.argv.slice(2);
const splitter = new RecursiveCharacterTextSplitter({ chunkSize: CHUNK_CHARACTERS, chunkOverlap: 0 });
const embeddings = new OpenAIEmbeddings({
  model: 'counting',
  apiKey: 'none',
  batchSize: BATCH,
  dimensions: Number(dimensions),
  configuration: { baseURL: embedderUrl },
});
const add = store === 'memory' ? intoMemory() : await intoPostgres();
const startedMs = performance.now();
let chunks = 0;
const files = await readdir(folder);
const lane = async () => {
  for (let file = files.pop(); file !== undefined; file = files.pop()) {
    const text = await readFile(join(folder, file), 'utf8');
    const documents = await splitter.splitDocuments([
      new Document({ pageContent: text, metadata: { file } }),
    ]);
    chunks += documents.length;
    await add.documents(documents);
  }
};
await Promise.all(Array.from({ length: LANES }, lane));
const seconds = (performance.now() - startedMs) / 1_000;
await add.end();
const [, peak] = /VmHWM:\s+(\d+)/.exec(await readFile('/proc/self/status', 'utf8'))!;
console.log(JSON.stringify({ seconds, chunks, peakMb: Math.round(Number(peak) / 1_024) }));

function intoMemory() {
  const memory = new MemoryVectorStore(embeddings);
  return { documents: (documents: Document[]) => memory.addDocuments(documents), end: async () => undefined };
}

/** Without the extension pgvector: a plain table, one insert for each file, and an index of words as ours has. */
async function intoPostgres() {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  await client.query(`
    create table chunk (
      id bigserial primary key, file text, text text, vector real[],
      words tsvector generated always as (to_tsvector('english', text)) stored)`);
  await client.query(`create index on chunk using gin (words)`);
  return {
    async documents(documents: Document[]) {
      const texts = documents.map((document) => document.pageContent);
      const vectors = await embeddings.embedDocuments(texts);
      const rows = documents.map(({ pageContent, metadata }, i) => ({
        file: (metadata as { file: string }).file,
        text: pageContent,
        vector: vectors[i],
      }));
      await client.query(
        `insert into chunk (file, text, vector)
         select file, text, vector from jsonb_to_recordset($1::jsonb) as r (file text, text text, vector real[])`,
        [JSON.stringify(rows)],
      );
    },
    end: () => client.end(),
  };
}
