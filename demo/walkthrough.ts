import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { type AnswerBody, type ApiClient, type DocumentBody, RequestRefused } from './api-client.js';
import type { DemoFolder } from './data-folder.js';
import { duration, type Palette, renderAnswer } from './print.js';
import { ProgressBoard } from './progress.js';

interface Output {
  isTTY?: boolean;
  columns?: number;
  write(text: string): unknown;
}

/** Where the demonstration prints, how, and since when it runs. */
export interface Stage {
  output: Output;
  palette: Palette;
  /** Milliseconds since the demonstration began. */
  elapsedMs(): number;
}

/** Something that the person can put right; shown without a stack. */
export class DemoFailure extends Error {}

export interface AskedQuestion {
  question: string;
  /** What a right answer holds, letter case aside. */
  expected?: string[];
  /** A right answer says that the documents do not tell. */
  unanswerable?: boolean;
}

/** Milliseconds since the beginning, for the closing summary. */
export interface Timings {
  lexicalMs?: number;
  readyMs: number;
  firstAnswerMs: number;
  answerMs: number[];
}

export interface Walk extends Timings {
  /** Questions whose answer is not the expected one. */
  missed: string[];
}

/** Checks before anything is started. @throws DemoFailure when there is no such file or nothing in it */
export async function checkFile(path: string): Promise<void> {
  const found = await stat(path).catch(({ code }: NodeJS.ErrnoException) => {
    throw new DemoFailure(
      code === 'ENOENT' ? `There is no file ${path}.` : `${path} cannot be read: ${code}.`,
    );
  });
  if (!found.isFile()) throw new DemoFailure(`${path} is not a file.`);
  if (found.size === 0) throw new DemoFailure(`${path} is empty.`);
}

/** Logs in as the administrator and makes an API key, which the rest of the demonstration uses. */
export async function signIn(client: ApiClient, folder: DemoFolder): Promise<string> {
  try {
    await client.login(folder.credentials.email, folder.credentials.password);
  } catch (error) {
    if (!(error instanceof RequestRefused) || error.status !== 401) throw error;
    await folder.discardCredentials();
    throw new DemoFailure(
      `${folder.path} was set up before with another administrator. Name it in BOOTSTRAP_ADMIN_EMAIL and ` +
        'BOOTSTRAP_ADMIN_PASSWORD, or name another folder in DATA_DIR.',
    );
  }
  const key = await client.createApiKey('demonstration');
  client.useCredential(key);
  return key;
}

/** Uploads the files, shows how they are processed, asks the questions and prints the answers. */
export async function walkThrough(
  client: ApiClient,
  files: string[],
  questions: AskedQuestion[],
  stage: Stage,
): Promise<Walk> {
  const { output, palette } = stage;
  output.write(
    `\n${palette.bold(files.length === 1 ? 'Uploading and processing' : `Uploading and processing ${files.length} documents`)}\n`,
  );
  const { documents, lexicalMs } = await processFiles(client, files, stage);
  const readyMs = stage.elapsedMs();

  output.write(`\n${palette.bold('Questions')}\n\n`);
  const conversation = await client.createConversation();
  const documentIds = documents.map((document) => document.id);
  const answerMs: number[] = [];
  let firstAnswerMs = 0;
  const missed: string[] = [];
  for (const [index, asking] of questions.entries()) {
    const { question, expected } = asking;
    const asked = performance.now();
    const answer = await client.ask(conversation, question, documentIds);
    const durationMs = performance.now() - asked;
    firstAnswerMs ||= stage.elapsedMs();
    answerMs.push(durationMs);
    if (!isAsExpected(answer, asking)) missed.push(question);
    const width = Math.min(output.columns ?? 100, 110);
    output.write(
      `${renderAnswer({ number: index + 1, question, answer, durationMs, expected }, palette, width)}\n`,
    );
  }
  return { lexicalMs, readyMs, firstAnswerMs, answerMs, missed };
}

function isAsExpected(answer: AnswerBody, { expected = [], unanswerable = false }: AskedQuestion): boolean {
  if (unanswerable || answer.not_in_documents) return unanswerable === answer.not_in_documents;
  const quoted = answer.citations.map(({ quote }) => quote.toLowerCase()).join('\n');
  return expected.every((words) => quoted.includes(words.toLowerCase()));
}

/** @throws DemoFailure naming every document that failed and why */
async function processFiles(
  client: ApiClient,
  files: string[],
  { output, palette, elapsedMs }: Stage,
): Promise<{ documents: DocumentBody[]; lexicalMs?: number }> {
  const board = new ProgressBoard(output, palette);
  const searchable = new Set<string>();
  let lexicalMs: number | undefined;
  const show = (document: DocumentBody) => {
    board.update(document);
    if (document.answerable !== 'none') searchable.add(document.id);
    if (searchable.size === files.length) lexicalMs ??= elapsedMs();
  };
  const uploaded: DocumentBody[] = [];
  for (const file of files) {
    const document = await upload(client, file);
    show(document);
    uploaded.push(document);
  }
  const documents = await Promise.all(uploaded.map((document) => client.followDocument(document, show)));
  const failed = documents.filter((document) => document.status === 'failed');
  if (failed.length > 0) {
    throw new DemoFailure(
      failed
        .map(
          ({ filename, reason }) =>
            `${filename} could not be processed: ${reason?.message} (${reason?.code}).`,
        )
        .join('\n'),
    );
  }
  return { documents, lexicalMs };
}

async function upload(client: ApiClient, file: string): Promise<DocumentBody> {
  try {
    return await client.upload(file);
  } catch (error) {
    if (!(error instanceof RequestRefused)) throw error;
    const supported = Array.isArray(error.body.supported)
      ? ` Supported: ${error.body.supported.join(', ')}.`
      : '';
    throw new DemoFailure(`${basename(file)} was refused: ${error.message} (${error.code}).${supported}`);
  }
}

/** What the closing summary says. */
export function summaryOf(timings: Timings, startedMs: number): [name: string, value: string][] {
  const { lexicalMs, readyMs, firstAnswerMs, answerMs } = timings;
  const mean = answerMs.reduce((sum, value) => sum + value, 0) / answerMs.length;
  return [
    ['server ready after', duration(startedMs)],
    ...(lexicalMs === undefined
      ? []
      : [['answerable by words after', duration(lexicalMs)] as [string, string]]),
    ['fully processed after', duration(readyMs)],
    ['first answer after', duration(firstAnswerMs)],
    [`${answerMs.length === 1 ? 'the answer took' : `mean of ${answerMs.length} answers`}`, duration(mean)],
  ];
}
