import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { once } from 'node:events';
import { promisify } from 'node:util';
import { ParseFailure } from '../../parsing/index.js';

/** What is to be decoded. */
export interface DecodeRequest {
  path: string;
  /** ffmpeg's name of the container. It reads as nothing else, whatever the bytes pretend. */
  demuxer: string;
  /** Samples a second to give out. */
  rate: number;
  /** Unless all of it, in milliseconds. */
  fromMs?: number;
  durationMs?: number;
}

export interface FfmpegLimits {
  /** Address space of the process, in megabytes. */
  memoryMb: number;
  /** Of one run, real time and time of the processor each. */
  timeoutMs: number;
}

/**
 * The system's ffmpeg, which turns sound of any kind into samples. It is a program of its own that reads a file which
 * nobody vouches for: it is started without a shell and without environment, with limits of the system on memory, time
 * and written files, reads one kind of container, opens local files only, and decodes nothing but one audio stream.
 */
export class Ffmpeg {
  private constructor(
    /** The first words of what it says about itself. */
    readonly version: string,
    private readonly program: string,
    private readonly limits: FfmpegLimits,
  ) {}

  /** @param program a name, looked for where systems keep programs, or a path @returns undefined when there is none */
  static async find(program: string, limits: FfmpegLimits): Promise<Ffmpeg | undefined> {
    try {
      const { stdout } = await promisify(execFile)(program, ['-version'], {
        env: ENVIRONMENT,
        timeout: 10_000,
      });
      return new Ffmpeg(/^ffmpeg version \S+/.exec(stdout)?.[0] ?? 'unknown', program, limits);
    } catch {
      return undefined;
    }
  }

  /**
   * Mono samples of the first audio stream, on the time line of the file: where its sound begins late, or has a gap,
   * there is silence.
   *
   * @throws ParseFailure no-audio, corrupt-file, parse-timeout, parse-memory; the signal's reason
   */
  async *decode(request: DecodeRequest, signal: AbortSignal): AsyncGenerator<Float32Array> {
    signal.throwIfAborted();
    const timeout = AbortSignal.timeout(this.limits.timeoutMs);
    const [command, args] = this.limited(argumentsFor(request));
    const child = spawn(command, args, { env: ENVIRONMENT, stdio: ['ignore', 'pipe', 'pipe'] });
    const ended = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>;
    ended.catch(() => undefined);
    const kill = () => child.kill('SIGKILL');
    const either = AbortSignal.any([signal, timeout]);
    either.addEventListener('abort', kill, { once: true });
    // Looked at, never kept: it may hold names that stand in the file.
    let lastWords = '';
    child.stderr.on(
      'data',
      (chunk: Buffer) => (lastWords = (lastWords + chunk.toString('latin1')).slice(-4_000)),
    );
    let isEmpty = true;
    try {
      for await (const samples of samplesOf(child.stdout)) {
        isEmpty = false;
        yield samples;
      }
      const [code, killedBy] = await ended;
      signal.throwIfAborted();
      if (timeout.aborted || killedBy === 'SIGXCPU') throw new ParseFailure('parse-timeout');
      if (/Cannot allocate memory|out of memory/i.test(lastWords)) throw new ParseFailure('parse-memory');
      // Some of a damaged recording is better than nothing.
      if (isEmpty) throw new ParseFailure(NO_AUDIO.test(lastWords) ? 'no-audio' : 'corrupt-file');
      if (code === null && killedBy) throw new ParseFailure('parser-crashed');
    } finally {
      either.removeEventListener('abort', kill);
      kill();
      await ended.catch(() => undefined);
    }
  }

  private limited(args: string[]): [string, string[]] {
    if (!existsSync(PRLIMIT)) return [this.program, args];
    const { memoryMb, timeoutMs } = this.limits;
    const limits = [
      `--as=${memoryMb * MEGABYTE}`,
      `--cpu=${Math.ceil(timeoutMs / 1_000)}`,
      '--fsize=0',
      '--core=0',
    ];
    return [PRLIMIT, [...limits, '--', this.program, ...args]];
  }
}

function argumentsFor({ path, demuxer, rate, fromMs, durationMs }: DecodeRequest): string[] {
  const seconds = (ms: number) => (ms / 1_000).toFixed(3);
  return [
    ...['-nostdin', '-hide_banner', '-loglevel', 'error', '-threads', '1'],
    ...['-protocol_whitelist', 'file,pipe', '-f', demuxer],
    ...(fromMs === undefined ? [] : ['-ss', seconds(fromMs)]),
    ...(durationMs === undefined ? [] : ['-t', seconds(durationMs)]),
    ...['-i', `file:${path}`, '-map', '0:a:0', '-vn', '-sn', '-dn'],
    ...['-af', 'aresample=async=1:first_pts=0', '-ac', '1', '-ar', String(rate)],
    ...['-c:a', 'pcm_f32le', '-f', 'f32le', 'pipe:1'],
  ];
}

/** Puts together the samples that the border between two chunks cuts in two. */
async function* samplesOf(chunks: AsyncIterable<Buffer>): AsyncGenerator<Float32Array> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of chunks) {
    const bytes = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk;
    const whole = bytes.length - (bytes.length % 4);
    rest = bytes.subarray(whole);
    // Copied, because a view must start at an address that is a multiple of four.
    if (whole > 0) yield new Float32Array(Uint8Array.from(bytes.subarray(0, whole)).buffer);
  }
}

const ENVIRONMENT = { PATH: '/usr/local/bin:/usr/bin:/bin' };
const PRLIMIT = '/usr/bin/prlimit';
const MEGABYTE = 1_048_576;
const NO_AUDIO = /matches no streams|does not contain any stream/i;
