import { chmodSync, existsSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ffmpeg, type FfmpegLimits } from './ffmpeg.js';

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'ffmpeg-')));
afterAll(() => rmSync(folder, { recursive: true }));
const signal = new AbortController().signal;
const LIMITS: FfmpegLimits = { memoryMb: 1_024, timeoutMs: 60_000 };
const REQUEST = { path: '/nowhere', demuxer: 'mp3', rate: 8_000 };

let programs = 0;
/** A program in ffmpeg's place that says its version and otherwise does this. */
async function ffmpegThat(does: string, limits: Partial<FfmpegLimits> = {}): Promise<Ffmpeg> {
  const path = join(folder, `${programs++}`);
  writeFileSync(
    path,
    `#!/bin/sh\n[ "$1" = -version ] && echo "ffmpeg version 9.9 of a test" && exit\n${does}\n`,
  );
  chmodSync(path, 0o755);
  return (await Ffmpeg.find(path, { ...LIMITS, ...limits }))!;
}

async function decode(ffmpeg: Ffmpeg, request = {}, until = signal): Promise<number[]> {
  const all: number[] = [];
  for await (const samples of ffmpeg.decode({ ...REQUEST, ...request }, until)) all.push(...samples);
  return all;
}

describe('Ffmpeg', () => {
  it('is there or not, and says its version', async () => {
    expect((await ffmpegThat('exit 1')).version).toBe('ffmpeg version 9.9');
    expect(await Ffmpeg.find('no-such-program', LIMITS)).toBeUndefined();
    expect(await Ffmpeg.find(join(folder, 'no-such-program'), LIMITS)).toBeUndefined();
  });

  it('is told to read one container from one file, without a network, without questions and without the video', async () => {
    const seen = join(folder, 'arguments');
    const writer = await ffmpegThat(`printf '%s ' "$@" >&2; echo "file limit $(ulimit -f)" >&2; printf abcd`);
    // What it is told comes back as samples: four bytes for each.
    const bytes = (samples: number[]) => Buffer.from(Float32Array.from(samples).buffer).toString();
    expect(bytes(await decode(writer))).toBe('abcd');
    const echo = await ffmpegThat(`printf '%-800s' "$*"`);
    const told = bytes(await decode(echo, { path: `${seen} $(true)`, fromMs: 1_500, durationMs: 20_000 }));
    expect(told).toContain('-nostdin');
    expect(told).toContain(
      `-protocol_whitelist file,pipe -f mp3 -ss 1.500 -t 20.000 -i file:${seen} $(true) -map 0:a:0 -vn -sn -dn`,
    );
    expect(told).toContain('-ac 1 -ar 8000 -c:a pcm_f32le -f f32le pipe:1');
  });

  it('puts samples together that arrive in pieces', async () => {
    const one = Buffer.from(Float32Array.of(0.5).buffer);
    const octal = [...one].map((byte) => `\\${byte.toString(8).padStart(3, '0')}`);
    const [head, tail] = [octal.slice(0, 3).join(''), octal.slice(3).join('')];
    const slow = await ffmpegThat(
      `printf '${head}'; sleep 0.05; printf '${tail}${head}'; sleep 0.05; printf '${tail}'`,
    );
    expect(await decode(slow)).toEqual([0.5, 0.5]);
  });

  it.each([
    ['no-audio', `echo "Stream map '0:a:0' matches no streams." >&2; exit 1`],
    ['no-audio', 'echo "Output file #0 does not contain any stream" >&2; exit 1'],
    ['corrupt-file', 'echo "Invalid data found when processing input" >&2; exit 1'],
    ['corrupt-file', 'exit 0'],
    ['parse-memory', 'echo "Cannot allocate memory" >&2; exit 1'],
  ])('fails with %s when it says so: %s', async (code, does) => {
    await expect(decode(await ffmpegThat(does))).rejects.toMatchObject({ code });
  });

  it('keeps what could be decoded of a damaged recording', async () => {
    expect(await decode(await ffmpegThat('printf abcd; echo "Invalid data" >&2; exit 1'))).toHaveLength(1);
  });

  it('is killed when it takes too long, and with its caller', async () => {
    await expect(decode(await ffmpegThat('exec sleep 100', { timeoutMs: 100 }))).rejects.toMatchObject({
      code: 'parse-timeout',
    });
    const leaving = new AbortController();
    const endless = decode(await ffmpegThat('while :; do printf abcd; done'), {}, leaving.signal);
    leaving.abort(new Error('Left'));
    await expect(endless).rejects.toThrow('Left');
  });

  it('ends with whoever stops reading', async () => {
    const pid = join(folder, 'pid');
    const endless = await ffmpegThat('while :; do printf "%s" "$$  "; done');
    expect(existsSync(pid)).toBe(false);
    for await (const samples of endless.decode(REQUEST, signal)) {
      expect(samples.length).toBeGreaterThan(0);
      break;
    }
  });

  const limited = existsSync('/usr/bin/prlimit') ? it : it.skip;
  limited('writes no files and takes no more memory than it may', async () => {
    const file = join(folder, 'written');
    await decode(await ffmpegThat(`trap '' XFSZ; echo x > ${file}; printf abcd`));
    const limits = await ffmpegThat(`printf '%-20s' "$(ulimit -v) $(ulimit -c) $(ulimit -t)"`, {
      memoryMb: 2_048,
    });
    const said = Buffer.from(Float32Array.from(await decode(limits)).buffer).toString();
    expect(said.trim()).toBe('2097152 0 60');
  });
});
