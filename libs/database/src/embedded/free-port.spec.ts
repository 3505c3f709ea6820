import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { onFreePort } from './free-port.js';

describe('onFreePort', () => {
  let stranger: Server;
  let takenPort: number;
  beforeEach(async () => {
    stranger = createServer().listen(0, '127.0.0.1');
    await once(stranger, 'listening');
    takenPort = (stranger.address() as { port: number }).port;
  });
  afterEach(() => stranger.close());

  it('finds a free port when none is wanted', async () => {
    const port = await onFreePort(undefined, async (found) => found);

    const probe = createServer().listen(port, '127.0.0.1');
    await once(probe, 'listening');
    probe.close();
  });

  it('uses the wanted port', async () => {
    stranger.close();
    await once(stranger, 'close');

    expect(await onFreePort(takenPort, async (port) => port)).toBe(takenPort);
  });

  it('names the wanted port when it is taken, and launches nothing', async () => {
    const launched: number[] = [];
    const attempt = onFreePort(takenPort, async (port) => launched.push(port));

    await expect(attempt).rejects.toMatchObject({
      code: 'port-taken',
      message: `Port ${takenPort} on 127.0.0.1 is taken by another program`,
    });
    expect(launched).toEqual([]);
  });

  it('takes another port when somebody was faster than the launch', async () => {
    const offered = [takenPort, takenPort, 1];
    const launched: number[] = [];

    const port = await onFreePort(
      undefined,
      async (candidate) => {
        launched.push(candidate);
        if (candidate === takenPort) throw new Error('Address already in use');
        return candidate;
      },
      async () => offered.shift()!,
    );

    expect(port).toBe(1);
    expect(launched).toEqual([takenPort, takenPort, 1]);
  });

  it('gives up after five ports that others took', async () => {
    let launches = 0;
    const attempt = onFreePort(
      undefined,
      async () => {
        launches++;
        throw new Error('Address already in use');
      },
      async () => takenPort,
    );

    await expect(attempt).rejects.toThrow('Address already in use');
    expect(launches).toBe(5);
  });

  it('does not try again what failed for another reason', async () => {
    let launches = 0;
    const attempt = onFreePort(undefined, async () => {
      launches++;
      throw new Error('bad setting');
    });

    await expect(attempt).rejects.toThrow('bad setting');
    expect(launches).toBe(1);
  });
});
