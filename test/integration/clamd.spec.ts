import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TransientFailure } from '#libs/errors';
import { Clamd } from '../../apps/api/src/ingestion/scan/clamd.js';
import { EICAR, FakeClamd } from '../support/fake-clamd.js';

const never = () => new AbortController().signal;
async function* content(...parts: (string | Buffer)[]): AsyncIterable<Uint8Array> {
  for (const part of parts) yield Buffer.from(part as string);
}

let server: FakeClamd;
let clamd: Clamd;
beforeEach(async () => {
  server = await FakeClamd.start();
  clamd = new Clamd({ host: '127.0.0.1', port: server.port });
});
afterEach(() => server.stop());

describe('Clamd', () => {
  it('sends a file whole and hears that it is clean', async () => {
    expect(await clamd.scan(content('The deductible ', '', 'is $500.'), never())).toBe('clean');
    expect(await clamd.scan(content(), never())).toBe('clean');
    expect(server.scanned).toEqual([23, 0]);
  });

  it('hears what was found, wherever it stands', async () => {
    const head = Buffer.alloc(500_000, 65);
    expect(await clamd.scan(content(head, EICAR.slice(0, 20), EICAR.slice(20)), never())).toBe('found');
  });

  it('hears that a file is too large while it still sends', async () => {
    const parts = Array.from({ length: 64 }, () => Buffer.alloc(1_048_576, 65));
    expect(await clamd.scan(content(...parts), never())).toBe('too-large');
    expect(server.scanned).toEqual([]);
  });

  it('speaks over a socket too, and pings', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'clamd-'));
    const local = await FakeClamd.start(join(folder, 'clamd.sock'));
    try {
      const overSocket = new Clamd({ socket: join(folder, 'clamd.sock'), port: 3310 });
      await overSocket.ping(never());
      expect(await overSocket.scan(content(EICAR), never())).toBe('found');
      expect(local.pings).toBe(1);
    } finally {
      await local.stop();
      await rm(folder, { recursive: true });
    }
  });

  it('says that it is away, or cannot scan, in a way that is tried again', async () => {
    server.answer = 'Can not write to temporary file. ERROR\0';
    await expect(clamd.scan(content('x'), never())).rejects.toThrow(TransientFailure);
    const { port } = server;
    await server.stop();
    const gone = new Clamd({ host: '127.0.0.1', port });
    await expect(gone.scan(content('x'), never())).rejects.toThrow(TransientFailure);
    await expect(gone.ping(never())).rejects.toThrow(TransientFailure);
    const noSocket = new Clamd({ socket: '/nowhere/clamd.sock', port });
    await expect(noSocket.ping(never())).rejects.toThrow(TransientFailure);
  });

  it('gives up when its time is up, with the reason', async () => {
    server.silent = true;
    const stop = new AbortController();
    const scanning = clamd.scan(content('x'), stop.signal);
    const reason = new Error('time is up');
    while (server.scanned.length === 0) await new Promise(setImmediate);
    stop.abort(reason);
    await expect(scanning).rejects.toBe(reason);
  });

  it('passes on what goes wrong where the content comes from', async () => {
    const broken = new Error('the disk fails');
    async function* failing(): AsyncIterable<Uint8Array> {
      yield Buffer.from('x');
      throw broken;
    }
    await expect(clamd.scan(failing(), never())).rejects.toBe(broken);
  });
});
