import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface HeardCall {
  authorization: string | undefined;
  model: string;
  responseFormat: string;
  filename: string;
  /** The beginning of the file, which is a WAV file. */
  bytes: Buffer;
  durationMs: number;
}

export interface TranscriptionReply {
  latencyMs?: number;
  /** 200 unless given; others come with an error. */
  status?: number;
  /** Sent instead of a transcript. */
  body?: unknown;
  hangs?: boolean;
}

/** A server that speaks OpenAI's protocol for transcripts, over a real socket with real forms. */
export class FakeTranscription {
  readonly calls: HeardCall[] = [];
  /** The most that were under way at once. */
  mostAtOnce = 0;
  private reply: TranscriptionReply = {};
  private underWay = 0;

  private constructor(private readonly server: Server) {
    server.on('request', (request, response) => void this.answer(request, response));
  }

  static async start(): Promise<FakeTranscription> {
    const fake = new FakeTranscription(createServer());
    fake.server.listen(0, '127.0.0.1');
    await once(fake.server, 'listening');
    return fake;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/v1`;
  }

  answers(reply: TranscriptionReply): void {
    this.reply = reply;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.url === '/v1/models') return void json(response, 200, { data: [] });
    if (request.method !== 'POST' || request.url !== '/v1/audio/transcriptions')
      return void json(response, 404, { error: { message: 'no such path' } });
    this.mostAtOnce = Math.max(this.mostAtOnce, ++this.underWay);
    try {
      const call = await readCall(request);
      this.calls.push(call);
      const { latencyMs = 0, status = 200, body, hangs } = this.reply;
      if (hangs) return;
      await new Promise((resolve) => setTimeout(resolve, latencyMs));
      if (status !== 200) return void json(response, status, { error: { message: 'no', type: 'none' } });
      json(response, 200, body ?? transcriptOf(call));
    } finally {
      this.underWay -= 1;
    }
  }
}

async function readCall(request: IncomingMessage): Promise<HeardCall> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const type = request.headers['content-type']!;
  const form = await new Response(Buffer.concat(chunks), { headers: { 'content-type': type } }).formData();
  const file = form.get('file') as File;
  const bytes = Buffer.from(await file.arrayBuffer());
  return {
    authorization: request.headers.authorization,
    model: String(form.get('model')),
    responseFormat: String(form.get('response_format')),
    filename: file.name,
    bytes: Buffer.from(bytes.subarray(0, 1_024)),
    durationMs: (bytes.readUInt32LE(40) / bytes.readUInt32LE(28)) * 1_000,
  };
}

/** Two sentences, each half of the time. */
function transcriptOf({ responseFormat, durationMs }: HeardCall): object {
  const seconds = durationMs / 1_000;
  const text = ' The plan pays for glasses. You pay the rest.';
  if (responseFormat !== 'verbose_json') return { text };
  const half = { avg_logprob: Math.log(0.9), no_speech_prob: 0.01 };
  return {
    task: 'transcribe',
    language: 'english',
    duration: seconds,
    text,
    segments: [
      { id: 0, start: 0, end: seconds / 2, text: ' The plan pays for glasses.', ...half },
      { id: 1, start: seconds / 2, end: seconds, text: ' You pay the rest.', ...half },
    ],
  };
}

function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
