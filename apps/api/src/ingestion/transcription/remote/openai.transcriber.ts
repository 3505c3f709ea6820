import { z } from 'zod';
import { ProviderClient, ProviderFailure } from '../../../rag/index.js';
import { SAMPLE_RATE } from '../audio/audio-source.js';
import { type SpokenPiece, Transcriber, type Transcript } from '../transcriber.js';
import { wavBytes } from './wav-bytes.js';

export interface OpenAiTranscriberOptions {
  baseUrl: string;
  apiKey: string;
  /** The server's own name of the model. */
  model: string;
  pricePerMinute: number;
}

/**
 * Hears behind OpenAI's protocol (`POST /audio/transcriptions`): OpenAI itself, or any server that speaks it.
 *
 * @throws ProviderFailure, Overloaded, FatalFailure; ModelRejected when a stretch is refused
 */
export class OpenAiTranscriber extends Transcriber {
  readonly name: string;
  private readonly client: ProviderClient;

  constructor(private readonly options: OpenAiTranscriberOptions) {
    super();
    const { baseUrl, apiKey, model } = options;
    this.name = `openai:${model}`;
    this.client = new ProviderClient({ name: this.name, baseUrl, apiKey, maxBytes: MAX_ANSWER_BYTES });
  }

  async transcribe(samples: Float32Array, signal: AbortSignal): Promise<Transcript> {
    const durationMs = (samples.length * 1_000) / SAMPLE_RATE;
    const answer = await this.client.post('/audio/transcriptions', this.form(samples), signal);
    const parsed = Answer.safeParse(answer);
    if (!parsed.success) throw new ProviderFailure('malformed', `${this.name} sent no transcript`);
    return {
      ...transcriptOf(parsed.data, durationMs),
      heardBy: this.name,
      cpuSeconds: 0,
      cost: (durationMs / 60_000) * this.options.pricePerMinute,
    };
  }

  override ping(signal: AbortSignal): Promise<void> {
    return this.client.ping(signal);
  }

  private form(samples: Float32Array): FormData {
    const { model } = this.options;
    const form = new FormData();
    form.set('file', new Blob([Uint8Array.from(wavBytes(samples))], { type: 'audio/wav' }), 'recording.wav');
    form.set('model', model);
    // Some models know no times, and refuse whoever asks for them.
    form.set('response_format', WITHOUT_TIMES.test(model) ? 'json' : 'verbose_json');
    form.set('temperature', '0');
    return form;
  }
}

/** What is read of an answer; more may stand in it. Times are in seconds. */
const Segment = z.object({
  start: z.number(),
  end: z.number(),
  text: z.string(),
  avg_logprob: z.number().optional(),
  no_speech_prob: z.number().optional(),
});
type Segment = z.infer<typeof Segment>;
const Answer = z.object({ text: z.string(), segments: z.array(Segment).nullish() });

function transcriptOf(
  { text, segments }: z.infer<typeof Answer>,
  durationMs: number,
): Pick<Transcript, 'text' | 'pieces' | 'confidence'> {
  const spoken = (segments ?? []).filter((segment) => !isImagined(segment));
  if (!segments?.length) return { text: text.trim() };
  const pieces = spoken.map(({ start, end, text }): SpokenPiece => {
    const startMs = within(start * 1_000, 0, durationMs);
    return { text: text.trim(), startMs, endMs: within(end * 1_000, startMs, durationMs) };
  });
  return {
    text: pieces.map((piece) => piece.text).join(' '),
    pieces: pieces.filter((piece) => piece.text !== ''),
    confidence: confidenceOf(spoken),
  };
}

/** Whisper writes words where nobody speaks; these are its own bounds for that. */
const isImagined = ({ no_speech_prob = 0, avg_logprob = 0 }: Segment) =>
  no_speech_prob > 0.6 && avg_logprob < -1;

/** Mean probability of a token, each segment by its length; undefined when the server does not tell. */
function confidenceOf(segments: readonly Segment[]): number | undefined {
  let sum = 0;
  let characters = 0;
  for (const { text, avg_logprob } of segments) {
    if (avg_logprob === undefined) return undefined;
    sum += text.length * Math.exp(Math.min(0, avg_logprob));
    characters += text.length;
  }
  return characters === 0 ? undefined : sum / characters;
}

const within = (value: number, low: number, high: number) => Math.round(Math.min(high, Math.max(low, value)));

const WITHOUT_TIMES = /^gpt-/;
/** Hundreds of words with times and tokens. */
const MAX_ANSWER_BYTES = 1_048_576;
