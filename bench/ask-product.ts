import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExtractiveAnswer } from '../apps/api/src/rag/answering/extractive/index.js';
import { ApiClient } from '../demo/api-client.js';
import { ServerProcess } from '../demo/server.js';

/** An answer with its citations as they are on the wire. */
interface WireAnswer {
  answer: string;
  not_in_documents: boolean;
  grounding: number;
  citations: Array<{
    marker: number;
    document_id: string;
    document_title: string;
    passage_id: string;
    page: number | null;
    quote: string;
    source_start: number;
    source_end: number;
    answer_start: number;
    answer_end: number;
  }>;
}

const ADMIN = { email: 'admin@example.com', password: 'a passphrase for the benchmark' };
/** Questions come faster than from people. */
const RATES = { RATE_QUESTION_PER_MINUTE: '100000', RATE_READ_PER_MINUTE: '100000' };

/**
 * Uploads a file to the real program, with its embedded database and models, and asks it each question when the
 * document is ready. The program runs on a folder of its own, which is removed.
 */
export async function askProduct(
  file: string,
  questions: string[],
): Promise<{ documentId: string; answers: ExtractiveAnswer[] }> {
  const folder = await mkdtemp(join(tmpdir(), 'navigator-eval-'));
  const { signal } = new AbortController();
  const server = new ServerProcess({
    program: 'dist/apps/api/src/main.js',
    dataDir: folder,
    temporary: true,
    environment: {
      ...RATES,
      PORT: '0',
      LOG_LEVEL: 'warn',
      BOOTSTRAP_ADMIN_EMAIL: ADMIN.email,
      BOOTSTRAP_ADMIN_PASSWORD: ADMIN.password,
    },
    signal,
  });
  try {
    const client = new ApiClient(await server.ready(), signal);
    await client.login(ADMIN.email, ADMIN.password);
    const { id } = await client.followDocument(await client.upload(file), () => undefined);
    const answers: ExtractiveAnswer[] = [];
    for (const question of questions) {
      // Each question in a conversation of its own, so that none is read as following another.
      const answer = await client.ask(await client.createConversation(), question, [id]);
      answers.push(fromWire(answer as unknown as WireAnswer));
    }
    return { documentId: id, answers };
  } finally {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

const fromWire = ({ answer, not_in_documents, grounding, citations }: WireAnswer): ExtractiveAnswer => ({
  text: answer,
  notInDocuments: not_in_documents,
  grounding,
  citations: citations.map((citation) => ({
    marker: citation.marker,
    documentId: citation.document_id,
    documentTitle: citation.document_title,
    passageId: citation.passage_id,
    page: citation.page,
    box: null,
    quote: citation.quote,
    sourceStart: citation.source_start,
    sourceEnd: citation.source_end,
    answerStart: citation.answer_start,
    answerEnd: citation.answer_end,
  })),
});
