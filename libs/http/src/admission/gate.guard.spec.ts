import { EventEmitter } from 'node:events';
import type { ExecutionContext } from '@nestjs/common';
import { lastValueFrom, of } from 'rxjs';
import { newContext, runInContext } from '#libs/observability';
import { RateClass } from '../declarations.js';
import { ServiceLevelInterceptor } from '../service-level.interceptor.js';
import type { Admission } from './admission.js';
import { Gate } from './gate.js';
import { GateGuard, leaveGate, returnToGate } from './gate.guard.js';

@RateClass('question')
class Questions {
  ask(): void {}
}

const executionOf = (raw: object) =>
  ({
    getClass: () => Questions,
    getHandler: () => Questions.prototype.ask,
    switchToHttp: () => ({
      getRequest: () => ({ method: 'POST', headers: {} }),
      getResponse: () => ({ raw, header: () => undefined }),
    }),
  }) as unknown as ExecutionContext;

describe('the place of a request at the gate', () => {
  const gate = () => new Gate({ concurrency: 1, maxWaitMs: 1_000 });

  /** Enters as a request of its own, and then does this. */
  async function asRequest(gate: Gate, work: () => Promise<void> | void): Promise<EventEmitter> {
    const raw = Object.assign(new EventEmitter(), { destroyed: false });
    const execution = executionOf(raw);
    const guard = new GateGuard({ gate, isGated: () => true } as unknown as Admission);
    await runInContext({ ...newContext({ requestId: 'r' }), tenantId: 't' }, async () => {
      await guard.canActivate(execution);
      await work();
    });
    return raw;
  }

  it('is given back with the end of the response', async () => {
    const entered = gate();
    const raw = await asRequest(entered, () => expect(entered.inUse).toBe(1));
    expect(entered.inUse).toBe(1);
    raw.emit('close');
    expect(entered.inUse).toBe(0);
  });

  it('is given back when its work is done, while its record is still waited for', async () => {
    const entered = gate();
    await asRequest(entered, async () => {
      const handled = new ServiceLevelInterceptor().intercept(executionOf({ headersSent: false }), {
        handle: () => of({ answer: 'yes' }),
      });
      expect(await lastValueFrom(handled)).toEqual({ answer: 'yes' });
      expect(entered.inUse).toBe(0);
    });
  });

  it('may be left to others early, and taken again by who has more to do', async () => {
    const entered = gate();
    const raw = await asRequest(entered, async () => {
      leaveGate();
      leaveGate();
      expect(entered.inUse).toBe(0);
      await returnToGate();
      expect(entered.inUse).toBe(1);
    });
    raw.emit('close');
    expect(entered.inUse).toBe(0);
  });

  it('is not taken twice by who never left it', async () => {
    const entered = gate();
    const raw = await asRequest(entered, () => returnToGate());
    expect(entered).toMatchObject({ inUse: 1, queued: 0 });
    raw.emit('close');
    expect(entered.inUse).toBe(0);
  });

  it('is waited for again while others have it', async () => {
    const entered = gate();
    await asRequest(entered, async () => {
      leaveGate();
      const other = entered.tryEnter({ tenantId: 'u', priority: 'critical' })!;
      const returned = returnToGate();
      expect(entered).toMatchObject({ inUse: 1, queued: 1 });
      other();
      await returned;
      expect(entered).toMatchObject({ inUse: 1, queued: 0 });
    });
  });
});
