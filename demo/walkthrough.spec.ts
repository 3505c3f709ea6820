import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ApiClient, RequestRefused, withEvent } from './api-client.js';
import { createPalette } from './print.js';
import { DOCUMENT, type FakeApi, type FakeApiOptions, startFakeApi } from './testing/fake-api.js';
import { checkFile, DemoFailure, signIn, summaryOf, walkThrough } from './walkthrough.js';

let folder: string;
let file: string;
let api: FakeApi | undefined;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'demo spec '));
  file = join(folder, 'plan.txt');
  await writeFile(file, 'The deductible is $1,500.');
});
afterEach(async () => {
  await api?.close();
  api = undefined;
});
afterAll(() => rm(folder, { recursive: true }));

async function clientOf(options: FakeApiOptions = {}, signal = new AbortController().signal) {
  api = await startFakeApi(options);
  return new ApiClient(api.url, signal);
}

function stage() {
  const written: string[] = [];
  let now = 0;
  return {
    written,
    stage: {
      output: { write: (text: string) => written.push(text) },
      palette: createPalette(false),
      elapsedMs: () => (now += 1_000),
    },
  };
}

const folderOf = (discarded: string[] = []) => ({
  path: '/somewhere/data',
  temporary: false,
  credentials: { email: 'demo@navigator.example.com', password: 'secret words' },
  discardCredentials: async () => void discarded.push('discarded'),
  remove: async () => undefined,
});

describe('checkFile', () => {
  it('accepts a file with something in it', async () => {
    await expect(checkFile(file)).resolves.toBeUndefined();
  });

  it('tells a missing file, a folder and an empty file apart', async () => {
    const empty = join(folder, 'empty.pdf');
    await writeFile(empty, '');
    await expect(checkFile(join(folder, 'no such.pdf'))).rejects.toThrow('There is no file');
    await expect(checkFile(folder)).rejects.toThrow('is not a file');
    await expect(checkFile(empty)).rejects.toThrow('is empty');
  });
});

describe('signIn', () => {
  it('logs in and goes on with an API key', async () => {
    const client = await clientOf();
    await expect(signIn(client, folderOf())).resolves.toBe('nav_key');
    expect(api!.requests).toEqual(['POST /v1/auth/login', 'POST /v1/api-keys']);
    expect(api!.bodies['/v1/auth/login']).toEqual({
      email: 'demo@navigator.example.com',
      password: 'secret words',
    });
  });

  it('says what to do when the data folder has another administrator', async () => {
    const refusals = { 'POST /v1/auth/login': { status: 401, body: { code: 'login-failed' } } };
    const discarded: string[] = [];
    const attempt = signIn(await clientOf({ refusals }), folderOf(discarded));
    await expect(attempt).rejects.toThrow('/somewhere/data was set up before with another administrator');
    expect(discarded).toEqual(['discarded']);
  });
});

describe('walkThrough', () => {
  it('uploads, follows the stages, asks within the uploaded documents, and prints the answers', async () => {
    const client = await clientOf({
      events: [
        ['stage', { name: 'extract', status: 'running' }],
        ['status', { status: 'processing', answerable: 'none' }],
        ['status', { status: 'processing', answerable: 'lexical' }],
      ],
    });
    client.useCredential('nav_key');
    const { written, stage: shown } = stage();
    const timings = await walkThrough(client, [file], [{ question: 'What is it?' }], shown);

    const text = written.join('');
    expect(text).toContain('plan.txt: extract, answerable by its words');
    expect(text).toContain('plan.txt: ready (100%)');
    expect(text).toContain('1. What is it?');
    expect(text).toContain('[1] Plan, page 3');
    expect(api!.bodies['/v1/conversations/c1/questions']).toEqual({
      question: 'What is it?',
      document_ids: ['d1'],
    });
    expect(timings).toMatchObject({ lexicalMs: 1_000, readyMs: 2_000, firstAnswerMs: 3_000 });
    expect(timings.answerMs).toHaveLength(1);
  });

  it('begins the stream again when it ends early', async () => {
    const client = await clientOf({ documents: [{ status: 'processing' }, { status: 'ready' }] });
    client.useCredential('nav_key');
    await walkThrough(client, [file], [{ question: 'Why?' }], stage().stage);
    expect(api!.requests.filter((request) => request.endsWith('/events'))).toHaveLength(2);
  });

  it('gives the reason of a document that could not be processed', async () => {
    const reason = { code: 'pdf-encrypted', message: 'The file needs a password' };
    const client = await clientOf({ documents: [{ status: 'failed', reason }] });
    client.useCredential('nav_key');
    const walk = walkThrough(client, [file], [{ question: 'Why?' }], stage().stage);
    await expect(walk).rejects.toThrow(DemoFailure);
    await expect(walk).rejects.toThrow(
      'plan.txt could not be processed: The file needs a password (pdf-encrypted).',
    );
  });

  it('gives the reason of an upload that was refused, and what is supported', async () => {
    const body = { code: 'unsupported-document-type', detail: 'No known type', supported: ['pdf', 'docx'] };
    const client = await clientOf({ refusals: { 'POST /v1/documents': { status: 415, body } } });
    client.useCredential('nav_key');
    await expect(walkThrough(client, [file], [], stage().stage)).rejects.toThrow(
      'plan.txt was refused: No known type (unsupported-document-type). Supported: pdf, docx.',
    );
  });
});

describe('ApiClient', () => {
  it('ends its requests with the reason of the interruption', async () => {
    const controller = new AbortController();
    const client = await clientOf({}, controller.signal);
    controller.abort(new Error('Ctrl-C'));
    await expect(client.createConversation()).rejects.toThrow('Ctrl-C');
    await expect(client.isReady()).rejects.toThrow('Ctrl-C');
  });

  it('is not ready while nobody listens or the server says so', async () => {
    const refusals = { 'GET /health/ready': { status: 503, body: {} } };
    expect(await (await clientOf({ refusals })).isReady()).toBe(false);
    await api!.close();
    expect(await new ApiClient(api!.url, new AbortController().signal).isReady()).toBe(false);
    api = undefined;
  });

  it('keeps the stable code of a refusal', async () => {
    const client = await clientOf();
    const refusal = await client.createConversation().catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(RequestRefused);
    expect(refusal).toMatchObject({ status: 401, code: 'no-credential' });
  });
});

describe('withEvent', () => {
  it('replaces the state of a stage and leaves the others', () => {
    const event = { name: 'stage', data: '{"name":"receive","status":"done"}' };
    expect(withEvent(DOCUMENT, event).stages).toEqual([{ name: 'receive', status: 'done' }]);
  });

  it('takes over percentages and states, and nothing from an error', () => {
    expect(withEvent(DOCUMENT, { name: 'progress', data: '{"percent":40}' }).percent).toBe(40);
    expect(withEvent(DOCUMENT, { name: 'error', data: '{"code":"shutting-down"}' })).toEqual(DOCUMENT);
  });
});

describe('summaryOf', () => {
  it('says when things were ready and what an answer took on average', () => {
    const timings = { lexicalMs: 2_000, readyMs: 9_000, firstAnswerMs: 9_100, answerMs: [100, 300] };
    expect(summaryOf(timings, 1_500)).toEqual([
      ['server ready after', '1.50 s'],
      ['answerable by words after', '2.00 s'],
      ['fully processed after', '9.00 s'],
      ['first answer after', '9.10 s'],
      ['mean of 2 answers', '200 ms'],
    ]);
  });
});
