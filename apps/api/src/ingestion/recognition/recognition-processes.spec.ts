import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { jest } from '@jest/globals';
import { createCanvas, loadImage, type Canvas } from '@napi-rs/canvas';
import type { SandboxedChild } from '../parsing/sandbox/sandboxed-child.js';
import { blocksOfPages } from './ocr-blocks.js';
import { ocrSection } from './recognition.config.js';
import { RecognitionProcesses } from './recognition-processes.js';

// Starting processes, loading the engine and reading pages takes long on a busy machine.
jest.setTimeout(120_000);

const PAGE = join(process.cwd(), 'test/fixtures/plan-page.png');
const config = ocrSection.schema.parse({ processes: 1 });
const { signal } = new AbortController();

/** The page on a larger sheet, turned clockwise. */
async function drawnPage(degrees: number): Promise<Buffer> {
  const page = await loadImage(readFileSync(PAGE));
  const [width, height] = degrees === 90 ? [page.height, page.width] : [page.width, page.height];
  const canvas = blankPage(width, height);
  const context = canvas.getContext('2d');
  context.translate(width / 2, height / 2);
  context.rotate((degrees * Math.PI) / 180);
  context.drawImage(page, -page.width / 2, -page.height / 2);
  return canvas.toBuffer('image/png');
}

function blankPage(width: number, height: number): Canvas {
  const canvas = createCanvas(width, height);
  const context = canvas.getContext('2d');
  context.fillStyle = '#fff';
  context.fillRect(0, 0, width, height);
  return canvas;
}

describe('RecognitionProcesses', () => {
  let processes: RecognitionProcesses;
  beforeAll(() => (processes = new RecognitionProcesses(config)));
  afterAll(() => processes.close());

  const read = async (bytes: Uint8Array) => {
    const image = await processes.draw({ bytes }, 1, 'image/x-portable-graymap', signal);
    const text = await processes.recognise(image, signal);
    return { text, ...blocksOfPages([{ page: 1, text }], config.minConfidence)[0]! };
  };

  it('reads text, and tables by row', async () => {
    const { text, blocks, confidence } = await read(readFileSync(PAGE));
    expect(text).toMatchObject({ turn: 0, skew: 0 });
    expect(confidence).toBeGreaterThan(0.85);
    const paragraph = blocks.find((block) => block.kind === 'paragraph');
    expect(paragraph).toMatchObject({
      text: expect.stringContaining('The deductible is $1,500 per person each year.'),
      confidence: expect.any(Number),
    });
    // It stands at a twelfth of the width and a quarter of the height.
    expect(paragraph!.box!.x).toBeCloseTo(0.08, 1);
    expect(paragraph!.box!.y).toBeCloseTo(0.26, 1);
    expect(blocks[0]).toMatchObject({ kind: 'heading', text: 'Silver Plan 2026', page: 1 });
    const table = blocks.find((block) => block.kind === 'table');
    expect(table?.rows.map(({ label, cells }) => [label, ...cells.map((cell) => cell.text)])).toEqual(
      expect.arrayContaining([
        ['Emergency room', '$250', 'none'],
        ['Physical therapy', '$30', '60 visits'],
      ]),
    );
  });

  it('reads a page that lies on its side', async () => {
    const { text, blocks } = await read(await drawnPage(90));
    expect(text.turn).toBe(1);
    expect(JSON.stringify(blocks)).toContain('The deductible is $1,500 per person each year.');
    const paragraph = blocks.find(({ kind }) => kind === 'paragraph')!;
    expect(paragraph.box!.height).toBeGreaterThan(paragraph.box!.width);
  });

  it('sets a slanted page straight', async () => {
    const { text, blocks } = await read(await drawnPage(3));
    expect(text.skew).toBeCloseTo((3 * Math.PI) / 180, 1);
    expect(JSON.stringify(blocks)).toContain('The deductible is $1,500 per person each year.');
  });

  it('finds nothing on a blank page, and nothing to believe in noise', async () => {
    expect((await read(blankPage(600, 800).toBuffer('image/png'))).words).toBe(0);
    const noise = blankPage(400, 500);
    const context = noise.getContext('2d');
    context.fillStyle = '#000';
    for (let i = 0; i < 4_000; i += 1) context.fillRect((i * 7_919) % 400, (i * 104_729) % 500, 1, 1);
    expect((await read(noise.toBuffer('image/png'))).words).toBeLessThan(3);
  });

  it('refuses a picture that says it is enormous, before it is decoded', async () => {
    const bomb = blankPage(8, 8).toBuffer('image/png');
    bomb.writeUInt32BE(60_000, 16);
    bomb.writeUInt32BE(60_000, 20);
    await expect(processes.countPages({ bytes: bomb }, signal)).rejects.toMatchObject({
      code: 'image-too-large',
    });
    await expect(read(bomb)).rejects.toMatchObject({ code: 'image-too-large' });
  });

  it('refuses what is no picture, and goes on, also when the decoder dies of it', async () => {
    await expect(read(Buffer.from('GIF89a, or what calls itself so'))).rejects.toMatchObject({
      code: 'corrupt-file',
    });
    const cut = blankPage(8, 8).toBuffer('image/png').subarray(0, 40);
    const code = await read(cut).then(String, (error: { code: string }) => error.code);
    expect(['corrupt-file', 'parser-crashed']).toContain(code);
    expect(await processes.countPages({ bytes: blankPage(8, 8).toBuffer('image/png') }, signal)).toBe(1);
  });

  it('kills the process at work when nobody waits any more', async () => {
    const leaving = new AbortController();
    const image = await processes.draw({ bytes: await drawnPage(0) }, 1, 'image/x-portable-graymap', signal);
    const { pool } = processes as unknown as { pool: { working: Set<{ child: SandboxedChild }> } };
    const reading = processes.recognise(image, leaving.signal);
    while (pool.working.size === 0) await new Promise((resolve) => setImmediate(resolve));
    const [{ child }] = [...pool.working] as [{ child: SandboxedChild }];
    leaving.abort(new Error('left'));
    await expect(reading).rejects.toThrow('left');
    await child.ended;
    expect(processes.processes).toBe(0);
  });
});
