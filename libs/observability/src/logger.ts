import { type DestinationStream, type Logger as Pino, pino } from 'pino';
import type { LoggerService } from '@nestjs/common';
import { describeError } from './describe-error.js';
import { currentContext } from './request-context.js';

export interface LoggerOptions {
  level: string;
  /** Where lines go; standard output unless given. */
  destination?: DestinationStream;
}

/** Whatever a careless log call may carry, these never reach a line. */
const REDACTED_KEYS = new Set([
  'authorization',
  'cookie',
  'password',
  'password_hash',
  'refresh_token',
  'access_token',
  'token',
  'key',
  'secret',
  'api_key',
  'apiKey',
  'question',
  'answer',
  'text',
  'quote',
  'email',
]);
const REDACTED = '[redacted]';
/** What is nested deeper is left out: no line of ours is. */
const DEEPEST = 4;

/** JSON lines with the ids of the request or job they belong to. */
export function createLogger({ level, destination }: LoggerOptions): Pino {
  return pino(
    {
      level,
      base: { service: 'navigator' },
      timestamp: pino.stdTimeFunctions.isoTime,
      serializers: { err: describeError },
      mixin: idsOfContext,
      formatters: {
        level: (label) => ({ level: label }),
        log: (fields) => redacted(fields) as typeof fields,
      },
    },
    destination ?? pino.destination({ fd: 1, sync: false }),
  );
}

/**
 * A copy without what never reaches a line. Pino's own redaction by paths takes six times as long as the rest of a line,
 * and reaches no deeper than its paths.
 */
function redacted(value: unknown, depth = 1): unknown {
  // Errors have a serializer of their own.
  if (typeof value !== 'object' || value === null || value instanceof Error) return value;
  if ('toJSON' in value && typeof value.toJSON === 'function') return redacted(value.toJSON(), depth);
  if (depth > DEEPEST) return REDACTED;
  if (Array.isArray(value)) return value.map((item) => redacted(item, depth + 1));
  const copy: Record<string, unknown> = {};
  for (const key of Object.keys(value))
    copy[key] = REDACTED_KEYS.has(key)
      ? REDACTED
      : redacted((value as Record<string, unknown>)[key], depth + 1);
  return copy;
}

function idsOfContext(): object {
  const context = currentContext();
  if (!context) return {};
  const { requestId, correlationId, route, tenantId, userId } = context;
  return {
    request_id: requestId,
    correlation_id: correlationId,
    route,
    tenant_id: tenantId,
    user_id: userId,
  };
}

/** Who tells, one line each, every module, controller and route that Nest puts together at start. */
const ASSEMBLY = new Set([
  'InstanceLoader',
  'RoutesResolver',
  'RouterExplorer',
  'NestFactory',
  'NestApplication',
]);

/** Lets Nest and everything that uses `new Logger(Name)` write through pino. */
export class NestLogger implements LoggerService {
  constructor(private readonly pino: Pino) {}

  log(message: unknown, ...rest: unknown[]): void {
    this.write(ASSEMBLY.has(rest.at(-1) as string) ? 'debug' : 'info', message, rest);
  }
  warn(message: unknown, ...rest: unknown[]): void {
    this.write('warn', message, rest);
  }
  error(message: unknown, ...rest: unknown[]): void {
    this.write('error', message, rest);
  }
  fatal(message: unknown, ...rest: unknown[]): void {
    this.write('fatal', message, rest);
  }
  debug(message: unknown, ...rest: unknown[]): void {
    this.write('debug', message, rest);
  }
  verbose(message: unknown, ...rest: unknown[]): void {
    this.write('trace', message, rest);
  }

  /**
   * `log('text')`, `log({ field }, 'text')`, `error(error)` or `error('text', stack)`; Nest appends the logger's name.
   * Objects become fields, errors become `err`.
   */
  private write(level: pino.Level, message: unknown, rest: unknown[]): void {
    const fields: Record<string, unknown> = {
      logger: typeof rest.at(-1) === 'string' ? rest.pop() : undefined,
    };
    let text: string | undefined;
    for (const part of [message, ...rest]) {
      if (part instanceof Error) fields.err = part;
      else if (typeof part === 'object' && part !== null) Object.assign(fields, part);
      else if (text === undefined) text = String(part);
      else fields.stack = part;
    }
    // Without a text pino would repeat the error's message, past its serializer.
    this.pino[level](fields, text ?? (fields.err ? 'an error' : undefined));
  }
}
