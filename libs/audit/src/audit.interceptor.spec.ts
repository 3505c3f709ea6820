import { Readable } from 'node:stream';
import { type CallHandler, type ExecutionContext, StreamableFile } from '@nestjs/common';
import { lastValueFrom, of } from 'rxjs';
import { AuditUnavailable } from './audit.errors.js';
import { AuditInterceptor } from './audit.interceptor.js';
import type { AuditLog } from './audit-log.js';
import { Audited } from './audited.decorator.js';

class Downloads {
  @Audited('thing.download', 'security')
  download(): void {}
}
const context = { getHandler: () => Downloads.prototype.download } as unknown as ExecutionContext;

describe('an audited download', () => {
  const failed: unknown[] = [];
  const answerTo = (stream: Readable, complete: () => Promise<void>) => {
    const log = {
      open: () => ({}),
      complete,
      fail: async (_: unknown, error: unknown) => failed.push(error),
    };
    const next: CallHandler = { handle: () => of(new StreamableFile(stream)) };
    return new AuditInterceptor(log as unknown as AuditLog).intercept(context, next);
  };

  it('is given when it was recorded', async () => {
    const stream = Readable.from(['content']);
    const answer = await lastValueFrom(await answerTo(stream, async () => undefined));
    expect((answer as StreamableFile).getStream()).toBe(stream);
    expect(stream.destroyed).toBe(false);
  });

  it('leaves no file open when it could not be recorded', async () => {
    const stream = Readable.from(['content']);
    const unavailable = new AuditUnavailable(new Error('full'));
    await expect(answerTo(stream, () => Promise.reject(unavailable))).rejects.toBe(unavailable);
    expect(failed).toEqual([unavailable]);
    expect(stream.destroyed).toBe(true);
  });
});
