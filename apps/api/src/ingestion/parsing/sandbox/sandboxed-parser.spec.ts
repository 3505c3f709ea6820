import { jest } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { getPriority, tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import * as XLSX from '@e965/xlsx';
import officeCrypto from 'officecrypto-tool';
import { loadConfig } from '#libs/config';
import type { SandboxedChild } from './sandboxed-child.js';
import { type ParserConfig, parserSection } from './parsing.config.js';
import { type ParserFile, SandboxedParser } from './sandboxed-parser.js';

// Starting processes and loading pdf.js takes long on a busy machine.
jest.setTimeout(60_000);

const folder = mkdtempSync(join(tmpdir(), 'sandboxed-parser-'));
const parsers: SandboxedParser[] = [];

function parserWith(config: Partial<ParserConfig> = {}): SandboxedParser {
  const { parser: defaults } = loadConfig({ parser: parserSection }, {});
  const parser = new SandboxedParser({ ...defaults, processes: 1, ...config });
  parsers.push(parser);
  return parser;
}

function file(filename: string, content: string | Buffer): { path: string; filename: string } {
  const path = join(folder, `stored-${filename}`);
  writeFileSync(path, content);
  return { path, filename };
}

/** Everything of a file that is read at once. */
async function readWhole(parser: SandboxedParser, input: ParserFile, signal?: AbortSignal) {
  const plan = await parser.plan(input, signal);
  return { ...plan, ...(await parser.read(input, plan.parts[0]!, {}, signal)) };
}

/** Nested so deeply that no stack holds it. */
const DEEP = '<div>'.repeat(20_000);

afterAll(async () => {
  await Promise.all(parsers.map((parser) => parser.close()));
  rmSync(folder, { recursive: true });
});

describe('SandboxedParser', () => {
  it('finds out what a file is and reads it', async () => {
    const read = await readWhole(parserWith(), file('plan.md', '# Plan\n\nThe plan pays.'));
    expect(read).toMatchObject({ mediaType: 'text/markdown', format: 'markdown', title: 'Plan' });
    expect(read.blocks).toMatchObject([{ kind: 'heading' }, { kind: 'paragraph', text: 'The plan pays.' }]);
  });

  it('reads a file that is one whole and cuts it into passages in one go, as it does in steps', async () => {
    const parser = parserWith();
    const input = file('plan.md', '# Plan\n\nThe plan pays.\n\n## Visits\n\nA visit costs $20.');
    const { plan, whole } = await parser.open(input, { whole: true });
    const { blocks, warnings } = await readWhole(parser, input);
    expect(JSON.parse(whole!.part.toString())).toEqual({ blocks, warnings });
    const packed = gzipSync(whole!.part);
    const { headingStyles } = whole!.detail;
    expect(plan).toMatchObject({ mediaType: 'text/markdown', parts: [{ from: 1, to: 1 }] });
    expect(whole!.structure).toEqual(
      await parser.structure(null, packed, { isLast: true, parts: 1, headingStyles }),
    );
    expect(whole!.structure).toMatchObject({
      passages: 2,
      language: 'en',
      batches: [{ first: 0, count: 2 }],
    });
  });

  it('tells whether a file needs the password that was given', async () => {
    const book = XLSX.utils.book_new();
    XLSX.utils.book_append_sheet(book, XLSX.utils.aoa_to_sheet([['Visit', '$30']]), 'Costs');
    const plain = XLSX.write(book, { type: 'buffer', bookType: 'xlsx' }) as Buffer;
    const sealed = officeCrypto.encrypt(plain, { password: 'sesame' });
    const parser = parserWith();
    const open = async (bytes: Buffer, password: string) =>
      (await parser.open({ ...file('costs.xlsx', bytes), password }, { whole: true })).plan;
    expect(await open(sealed, 'sesame')).toMatchObject({ format: 'xlsx', needsPassword: true });
    expect(await open(plain, 'sesame')).not.toHaveProperty('needsPassword');
    await expect(open(sealed, 'guess')).rejects.toMatchObject({ code: 'wrong-password' });
  });

  it('leaves a file with something inside to those who read that', async () => {
    const mail = [
      'Subject: Your card',
      'Content-Type: multipart/mixed; boundary=b',
      '',
      '--b',
      'Content-Type: text/plain',
      '',
      'Please find your card attached.',
      '--b',
      'Content-Type: text/plain',
      'Content-Disposition: attachment; filename=card.txt',
      '',
      'Member 1',
      '--b--',
    ];
    const input = file('mail.eml', mail.join('\r\n'));
    const parser = parserWith();
    const { plan, whole } = await parser.open(input, { whole: true });
    expect(whole).toBeUndefined();
    expect((await parser.read(input, plan.parts[0]!)).attachments).toMatchObject([{ filename: 'card.txt' }]);
  });

  it('fails with the reason and goes on with the next file', async () => {
    const parser = parserWith();
    await expect(parser.plan(file('policy.pdf', '<html>Please sign in</html>'))).rejects.toMatchObject({
      code: 'mistyped',
      message: expect.stringMatching(/not what its name says/),
    });
    await expect(parser.plan(file('policy.pdf', '%PDF-1.7 broken'))).rejects.toMatchObject({
      code: 'corrupt-file',
    });
    await expect(parser.plan(file('deep.html', DEEP))).rejects.toMatchObject({
      code: expect.stringMatching(/too-complex|corrupt-file|parse-memory|no-text/),
    });
    expect((await readWhole(parser, file('a.txt', 'Text.'))).blocks).toHaveLength(1);
  });

  it('reads as many files at once as it has processes, and the others after them', async () => {
    const parser = parserWith({ processes: 2 });
    const files = Array.from({ length: 6 }, (_, i) => file(`${i}.txt`, `Text ${i}.`));
    const read = await Promise.all(files.map((input) => readWhole(parser, input)));
    expect(read.map(({ blocks }) => blocks[0])).toMatchObject(files.map((_, i) => ({ text: `Text ${i}.` })));
  });

  it('sends the bytes of a file once, and reads what it holds', async () => {
    const parser = parserWith();
    const [one, other] = [file('one.txt', 'As it was.'), file('other.txt', 'Another file.')];
    const { parts } = await parser.plan(one);
    writeFileSync(one.path, 'As it is now.');
    const read = async () => (await parser.read(one, parts[0]!, { of: 2 })).blocks;
    expect(await read()).toMatchObject([{ text: 'As it was.' }]);
    expect(await read()).toMatchObject([{ text: 'As it was.' }]);
    await parser.plan(other);
    expect(await read()).toMatchObject([{ text: 'As it is now.' }]);
  });

  it('has one more process for a file for which none works', async () => {
    const parser = parserWith();
    const large = file('large.txt', 'x'.repeat(5_000_000));
    const reading = [1, 2, 3].map(() => parser.plan(large));
    const small = parser.plan(file('small.txt', 'Text.'));
    expect(parser.processes).toBe(2);
    await Promise.all([small, ...reading]);
    expect(parser.processes).toBe(2);
  });

  it('reads the parts of a long document in a process that steps back for others', async () => {
    const parser = parserWith({ processes: 2 });
    const [long, short] = [file('long.txt', 'A long text.'), file('short.txt', 'Text.')];
    const prioritiesOf = () => {
      const { idle } = (parser as unknown as { pool: { idle: { child: SandboxedChild }[] } }).pool;
      return idle.map(({ child }) => getPriority(child.pid) - getPriority());
    };
    await readWhole(parser, short);
    expect(prioritiesOf()).toEqual([5]);
    for (let part = 1; part <= 2; part++) await parser.read(long, { from: 1, to: 1 }, { of: 100 });
    expect(prioritiesOf()).toEqual([5, 15]);
    await readWhole(parser, short);
    expect(prioritiesOf().toSorted((a, b) => a - b)).toEqual([5, 15]);
  });

  it('stops a resting process of one kind when it needs its place for the other', async () => {
    const parser = parserWith({ processes: 1 });
    const [long, short] = [file('long.txt', 'A long text.'), file('short.txt', 'Text.')];
    await Promise.all(
      [1, 2].map((n) => parser.read({ ...long, filename: `${n}.txt` }, { from: 1, to: 1 }, { of: 100 })),
    );
    await Promise.all([parser.plan(short), parser.plan(long)]);
    expect(parser.processes).toBeLessThanOrEqual(2);
  });

  it('makes the passages of a document, part by part', async () => {
    const parser = parserWith();
    const pack = (text: string) =>
      gzipSync(JSON.stringify({ blocks: [{ kind: 'paragraph', text, page: 1, box: null }] }));
    const first = await parser.structure(null, pack('The plan pays.'), {
      ...{ isLast: false, headingStyles: [], parts: 2 },
    });
    expect(first.batches).toEqual([]);
    const last = await parser.structure(first.state, pack('It pays for your family as well.'), {
      ...{ isLast: true, headingStyles: [], parts: 2 },
    });
    expect(last).toMatchObject({ passages: 1, language: 'en', batches: [{ first: 0, count: 1 }] });
    expect(JSON.parse(last.batches[0]!.passages)).toMatchObject([
      { ordinal: 0, text: 'The plan pays.\n\nIt pays for your family as well.' },
    ]);
  });

  it('gives up a file whose signal aborts, at work or in the queue, and reads the next one', async () => {
    const parser = parserWith();
    const leaving = new AbortController();
    const atWork = parser.plan(file('slow.txt', 'x'.repeat(5_000_000)), leaving.signal);
    const queued = parser.plan(file('queued.txt', 'Text.'), leaving.signal);
    const next = parser.plan(file('next.txt', 'Text.'));
    leaving.abort(new Error('The client left'));
    await expect(atWork).rejects.toThrow('The client left');
    await expect(queued).rejects.toThrow('The client left');
    expect((await next).mediaType).toBe('text/plain');
    await expect(parser.plan(file('late.txt', 'x'), leaving.signal)).rejects.toThrow('The client left');
  });

  it('stops a process that rests too long and starts another when it is needed', async () => {
    const parser = parserWith({ idleMs: 100 });
    await parser.plan(file('a.txt', 'One.'));
    expect(parser.processes).toBe(1);
    while (parser.processes > 0) await new Promise((resolve) => setImmediate(resolve));
    expect((await parser.plan(file('b.txt', 'Two.'))).mediaType).toBe('text/plain');
  });

  it('keeps a resting process when the time of one that died before is up', async () => {
    const idleMs = 60_000;
    const parser = parserWith({ processes: 2, idleMs });
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask', 'performance'] });
    try {
      await Promise.all([parser.plan(file('a.txt', 'One.')), parser.plan(file('b.txt', 'Two.'))]);
      const { idle } = (parser as unknown as { pool: { idle: { child: SandboxedChild }[] } }).pool;
      idle.at(-1)!.child.stop();
      await idle.at(-1)!.child.ended;
      jest.advanceTimersByTime(idleMs / 2);
      await parser.plan(file('c.txt', 'Three.'));
      jest.advanceTimersByTime(idleMs / 2);
      expect(parser.processes).toBe(1);
      expect(idle[0]!.child.alive).toBe(true);
      jest.advanceTimersByTime(idleMs / 2);
      expect(parser.processes).toBe(0);
    } finally {
      jest.useRealTimers();
    }
  });

  it('fails what it is reading when it is closed, and everything after', async () => {
    const parser = parserWith();
    const atWork = parser.plan(file('c.txt', 'Text.'));
    const outcome = atWork.then(
      () => 'read',
      (error: { code: string }) => error.code,
    );
    await parser.close();
    expect(['read', 'parser-crashed']).toContain(await outcome);
    await expect(parser.plan(file('d.txt', 'Text.'))).rejects.toMatchObject({ code: 'parser-crashed' });
  });
});
