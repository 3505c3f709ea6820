import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { createHash } from 'node:crypto';

/** A word as Tesseract tells of it: confidence in per cent, places in pixels. */
export interface TesseractWord {
  text: string;
  confidence: number;
  bbox: Bounds;
}

export interface TesseractLine {
  words: TesseractWord[];
  bbox: Bounds;
  baseline: Bounds;
  rowAttributes: { rowHeight: number; ascenders: number; descenders: number };
}

export interface TesseractPage {
  lines: TesseractLine[];
  /** In radians: the lines were off the horizontal by so much, and were set straight. */
  skew: number;
}

export interface ReadOptions {
  /** null lets Tesseract guess. */
  dpi: number | null;
  /** Whether lines that are a little off the horizontal are set straight first. */
  straighten: boolean;
}

interface Bounds {
  x0: number;
  y0: number;
  x1: number;
  y1: number;
}

/**
 * Tesseract 5 in WebAssembly, with the English network. tesseract.js would start a worker thread; its program for that
 * thread runs here instead, because the process has one purpose anyway and may not start threads. Nothing is fetched:
 * the network is read from its package.
 */
export class Tesseract {
  private constructor(private readonly call: Call) {}

  /** @throws Error when the file of the network is not the one that this program was made with */
  static async load(): Promise<Tesseract> {
    const require = createRequire(import.meta.url);
    const worker = require('tesseract.js/src/worker-script/index.js') as WorkerScript;
    const getCore = require('tesseract.js/src/worker-script/node/getCore.js') as unknown;
    worker.setAdapter({ getCore });
    const call: Call = (action, payload) =>
      new Promise((resolve, reject) =>
        worker.dispatchHandlers({ workerId: '', jobId: '', action, payload }, ({ status, data }) => {
          if (status === 'resolve') resolve(data);
          else if (status === 'reject') reject(new Error('Tesseract failed'));
        }),
      );
    await call('load', { options: { lstmOnly: LSTM_ONLY, logging: false } });
    const langs = [{ code: LANGUAGE, data: await readNetwork(require) }];
    await call('loadLanguage', { langs, options: { cacheMethod: 'none' } });
    await call('initialize', { langs: LANGUAGE, oem: LSTM_ONLY });
    await call('setParameters', { params: PARAMETERS });
    return new Tesseract(call);
  }

  /** @param pgm grey pixels, the text about upright */
  async recognise(pgm: Uint8Array, { dpi, straighten }: ReadOptions): Promise<TesseractPage> {
    const options = { rotateAuto: straighten, user_defined_dpi: String(Math.round(dpi ?? 0)) };
    const output = { blocks: true, text: false };
    const { blocks, rotateRadians } = (await this.call('recognize', { image: pgm, options, output })) as {
      blocks: { paragraphs: { lines: TesseractLine[] }[] }[] | null;
      rotateRadians: number;
    };
    const lines = (blocks ?? []).flatMap((block) => block.paragraphs.flatMap((paragraph) => paragraph.lines));
    return { lines, skew: rotateRadians === 0 ? 0 : -rotateRadians };
  }
}

type Call = (action: string, payload: object) => Promise<unknown>;

interface WorkerScript {
  setAdapter(adapter: object): void;
  dispatchHandlers(
    packet: { workerId: string; jobId: string; action: string; payload: object },
    send: (answer: { status: string; data: unknown }) => void,
  ): void;
}

async function readNetwork(require: NodeJS.Require): Promise<Uint8Array> {
  const folder = dirname(require.resolve('@tesseract.js-data/eng/package.json'));
  const packed = await readFile(join(folder, '4.0.0_best_int', `${LANGUAGE}.traineddata.gz`));
  if (createHash('sha256').update(packed).digest('hex') !== NETWORK_SHA256)
    throw new Error('The files of the text recognition are not the ones this program was made with');
  return gunzipSync(packed);
}

const LANGUAGE = 'eng';
const LSTM_ONLY = 1;
/** Of @tesseract.js-data/eng 1.0.0, Apache-2.0. */
const NETWORK_SHA256 = '45b4cb346724ac1774f1c36f42f182b887bcdb28ebe63e6fff90ac41f3fcff91';
/** Automatic layout, and one threshold between ink and paper for the page: finer ones read noise as text (README). */
const PARAMETERS = { tessedit_pageseg_mode: '3', thresholding_method: '0' };
