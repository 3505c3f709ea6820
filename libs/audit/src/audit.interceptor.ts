import { CallHandler, ExecutionContext, Injectable, NestInterceptor, StreamableFile } from '@nestjs/common';
import { lastValueFrom, type Observable, of } from 'rxjs';
import { AuditLog } from './audit-log.js';
import { auditedActOf } from './audited.decorator.js';

/**
 * Opens the record of an audited request and closes it. Guards run before interceptors, so they record their own
 * refusals; whatever fails after them, bad input included, comes by here.
 */
@Injectable()
export class AuditInterceptor implements NestInterceptor {
  constructor(private readonly log: AuditLog) {}

  async intercept(context: ExecutionContext, next: CallHandler): Promise<Observable<unknown>> {
    const act = auditedActOf(context.getHandler());
    if (!act) return next.handle();
    const record = this.log.open(act);
    let result: unknown;
    try {
      result = await lastValueFrom(next.handle(), { defaultValue: undefined });
      await this.log.complete(record);
      return of(result);
    } catch (error) {
      // Nobody reads a file any more whose download could not be recorded.
      if (result instanceof StreamableFile) result.getStream().destroy();
      await this.log.fail(record, error);
      throw error;
    }
  }
}
