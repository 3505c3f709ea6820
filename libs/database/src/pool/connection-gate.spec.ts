import { VirtualClock } from '../../../../test/support/virtual-clock.js';
import { ConnectionGate } from './connection-gate.js';
import { CANNOT_CONNECT_NOW } from './sql-states.js';

const REFUSED = Object.assign(new Error('refused'), { code: 'ECONNREFUSED' });
const STARTING = Object.assign(new Error('starting'), { code: CANNOT_CONNECT_NOW });

describe('the gate before the connections', () => {
  let clock: VirtualClock;
  let attempts: number;
  let failures: unknown[];
  let gate: ConnectionGate;

  beforeEach(() => {
    clock = new VirtualClock();
    attempts = 0;
    failures = [];
    const connectOnce = () => {
      attempts += 1;
      const failure = failures.shift();
      return failure ? Promise.reject(failure as Error) : Promise.resolve();
    };
    gate = new ConnectionGate(connectOnce, { clock, random: () => 0 });
  });

  it('lets everybody pass without an attempt while nothing is wrong', async () => {
    await gate.pass();
    expect(attempts).toBe(0);
  });

  it('decides by one attempt for all who wait, and then lets everybody pass again', async () => {
    gate.doubt();
    await Promise.all([gate.pass(), gate.pass(), gate.pass()]);
    await gate.pass();
    expect(attempts).toBe(1);
  });

  it('gives those who come soon after a failed attempt its error, and tries again after a pause', async () => {
    gate.doubt();
    failures = [REFUSED];
    await expect(gate.pass()).rejects.toBe(REFUSED);
    await expect(gate.pass()).rejects.toBe(REFUSED);
    expect(attempts).toBe(1);
    await clock.advance(500);
    await gate.pass();
    expect(attempts).toBe(2);
  });

  it('tries at once when a connection is lost right after the server was found to be there', async () => {
    gate.doubt();
    await gate.pass();
    gate.doubt();
    await gate.pass();
    expect(attempts).toBe(2);
  });

  it('waits for a server that is starting', async () => {
    gate.doubt();
    failures = [STARTING, STARTING];
    const passing = gate.pass();
    await clock.advance(1_000);
    await passing;
    expect(attempts).toBe(3);
  });

  it('does not wait for ever for a server that keeps starting', async () => {
    gate.doubt();
    failures = Array.from({ length: 20 }, () => STARTING);
    const passing = gate.pass();
    passing.catch(() => undefined);
    await clock.advance(10_000);
    await expect(passing).rejects.toBe(STARTING);
    expect(attempts).toBeLessThan(8);
  });
});
