import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import llamaTokenizer from 'llama-tokenizer-js';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { SAMPLE_RATE } from '../audio/audio-source.js';
import { loopStart } from './token-loop.js';

export interface Heard {
  text: string;
  /** Mean probability of the tokens, 0 to 1. */
  confidence: number;
}

/** The files of the model are not the ones that this program was made with. */
export class ModelFilesChanged extends Error {}

/**
 * Moonshine tiny, an English speech model of 27 million parameters (Jeffries et al., 2024, arXiv:2410.15608), with the
 * quantised weights that are in the package moonshine-js. An encoder turns samples into states, and a decoder writes
 * one token after the other. Takes about 350 MB and is to be loaded only in a process of its own.
 */
export class Moonshine {
  private constructor(
    private readonly encoder: InferenceSession,
    private readonly decoder: InferenceSession,
  ) {}

  /** @throws ModelFilesChanged */
  static async load(): Promise<Moonshine> {
    const [encoder, decoder] = await Promise.all(MODEL_FILES.map(loadSession));
    return new Moonshine(encoder!, decoder!);
  }

  /**
   * First always the likeliest token; when that leaves much doubt, what is likeliest as a whole among several ways of
   * going on (beam search), which takes several times as long.
   *
   * @param samples of at most 24 s, at 16 kHz
   */
  async transcribe(samples: Float32Array): Promise<Heard> {
    const states = await this.encode(samples);
    const mostTokens = Math.ceil((samples.length / SAMPLE_RATE) * TOKENS_PER_SECOND) + TOKENS_TO_SPARE;
    const first = await this.decode(states, mostTokens, 1);
    if (first.tokens.length === 0 || confidenceOf(first) >= SURE) return heard(first);
    return heard(await this.decode(states, mostTokens, BEAMS));
  }

  /** With silence around it: next to a border the model misses the beginnings and ends of words. */
  private async encode(samples: Float32Array): Promise<Tensor> {
    const padded = new Float32Array(samples.length + 2 * MARGIN_SAMPLES);
    padded.set(samples, MARGIN_SAMPLES);
    const states = await this.encoder.run({
      input_values: new Tensor('float32', padded, [1, padded.length]),
    });
    return states['last_hidden_state'] as Tensor;
  }

  private async decode(states: Tensor, mostTokens: number, width: number): Promise<Way> {
    let open: OpenWay[] = [{ tokens: [], probabilities: [], likelihood: 0, past: noPast() }];
    const ended: Way[] = [];
    for (let length = 0; length < mostTokens && open.length > 0 && ended.length < width; length++) {
      const next: (Way & { past: Past })[] = [];
      for (const way of open) next.push(...(await this.goOn(way, states, width)));
      next.sort(byLikelihood);
      open = [];
      for (const way of next.slice(0, width + ended.length)) {
        const keep = loopStart(way.tokens);
        if (way.tokens.at(-1) === END) ended.push(withoutLast(way));
        else if (keep !== undefined) ended.push(cutAt(way, keep));
        else if (open.length < width) open.push(way);
      }
    }
    const ways = [...ended, ...open].sort(byLikelihood);
    // Nothing at all is likelier than much that is said indistinctly; who looks twice wants to know what.
    return (width > 1 && ways.find((way) => way.tokens.length > 0)) || ways[0]!;
  }

  /** The likeliest tokens that follow. */
  private async goOn(way: OpenWay, states: Tensor, width: number): Promise<OpenWay[]> {
    const isFirst = way.tokens.length === 0;
    const output = await this.decoder.run({
      input_ids: new Tensor('int64', BigInt64Array.of(BigInt(way.tokens.at(-1) ?? START)), [1, 1]),
      encoder_hidden_states: states,
      use_cache_branch: new Tensor('bool', [!isFirst], [1]),
      ...way.past,
    });
    const past = pastAfter(way.past, output, isFirst);
    return likeliest(output['logits']!.data as Float32Array, width).map(({ token, probability }) => ({
      tokens: [...way.tokens, token],
      probabilities: [...way.probabilities, probability],
      likelihood: way.likelihood + Math.log(probability),
      past,
    }));
  }
}

/** A beginning of a transcript. */
interface Way {
  tokens: number[];
  /** Of each token. */
  probabilities: number[];
  /** Of all together, as a logarithm. */
  likelihood: number;
}
interface OpenWay extends Way {
  past: Past;
}

const byLikelihood = (a: Way, b: Way) => b.likelihood - a.likelihood;
const withoutLast = (way: Way) => cutAt(way, way.tokens.length - 1);
const cutAt = ({ tokens, probabilities, likelihood }: Way, keep: number): Way => ({
  tokens: tokens.slice(0, keep),
  probabilities: probabilities.slice(0, keep),
  likelihood,
});

const confidenceOf = ({ probabilities }: Way) =>
  probabilities.reduce((sum, p) => sum + p, 0) / Math.max(1, probabilities.length);

function heard(way: Way): Heard {
  const text = llamaTokenizer.decode([START, ...way.tokens]).trim();
  return { text, confidence: text === '' ? 0 : confidenceOf(way) };
}

type Past = Record<string, Tensor>;

/** What the decoder remembers of its own tokens grows; what it made of the sound is made with the first. */
function pastAfter(past: Past, output: InferenceSession.OnnxValueMapType, isFirst: boolean): Past {
  return Object.fromEntries(
    Object.entries(past).map(([name, value]) => {
      const isNew = isFirst || name.includes('.decoder.');
      return [name, isNew ? (output[name.replace('past_key_values', 'present')] as Tensor) : value];
    }),
  );
}

function noPast(): Past {
  const past: Past = {};
  for (let layer = 0; layer < LAYERS; layer++)
    for (const side of ['decoder', 'encoder'])
      for (const part of ['key', 'value'])
        past[`past_key_values.${layer}.${side}.${part}`] = new Tensor('float32', new Float32Array(), [
          0,
          HEADS,
          1,
          HEAD_SIZE,
        ]);
  return past;
}

/** Among the tokens that the tokeniser knows: the model has room for more, which mean nothing. The likeliest first. */
function likeliest(logits: Float32Array, count: number): { token: number; probability: number }[] {
  const known = logits.subarray(0, llamaTokenizer.vocabById.length);
  const best: number[] = [];
  for (let token = 0; token < known.length; token++) {
    if (best.length === count && known[token]! <= known[best.at(-1)!]!) continue;
    if (best.length === count) best.pop();
    best.splice(best.findLastIndex((other) => known[other]! >= known[token]!) + 1, 0, token);
  }
  let sum = 0;
  for (const logit of known) sum += Math.exp(logit - known[best[0]!]!);
  return best.map((token) => ({ token, probability: Math.exp(known[token]! - known[best[0]!]!) / sum }));
}

/** What was checked is what is loaded: the bytes, not the file. */
async function loadSession({ name, sha256 }: (typeof MODEL_FILES)[number]): Promise<InferenceSession> {
  const main = fileURLToPath(import.meta.resolve('@moonshine-ai/moonshine-js'));
  const bytes = await readFile(join(dirname(main), 'model/tiny/quantized', name));
  if (createHash('sha256').update(bytes).digest('hex') !== sha256) throw new ModelFilesChanged(name);
  return InferenceSession.create(bytes, { intraOpNumThreads: 1, interOpNumThreads: 1, logSeverityLevel: 3 });
}

/** @moonshine-ai/moonshine-js 0.1.29; the English weights are under the MIT licence. */
const MODEL_FILES = [
  {
    name: 'encoder_model.onnx',
    sha256: 'c6fc4b7bc5af75c0591fd157a1f3829b533d18e9769a888fd95a62e470dd4f4a',
  },
  {
    name: 'decoder_model_merged.onnx',
    sha256: 'eed87831c3a6103534aae7d47a5d485025c659a1323901513961c39fe8a1a367',
  },
] as const;
const LAYERS = 6;
const HEADS = 8;
const HEAD_SIZE = 36;
const START = 1;
const END = 2;

/** Fast speakers need 6; the rest is for a model that writes words in small pieces. */
const TOKENS_PER_SECOND = 7;
const TOKENS_TO_SPARE = 8;
/** Measured: half a second heals cut words, two seconds make the model believe that nobody speaks. */
const MARGIN_SAMPLES = SAMPLE_RATE / 2;
/** Below this mean probability of its tokens a transcript is worth a second look. */
const SURE = 0.75;
const BEAMS = 6;
