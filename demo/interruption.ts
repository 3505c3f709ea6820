import { startedByNpm } from '#libs/config';

/** The person, or whoever started the demonstration, wants it to end. */
export class Interrupted extends Error {
  constructor(by: string) {
    super(`Interrupted by ${by}`);
  }
}

const PARENT_CHECK_MS = 250;

/**
 * Aborts at Ctrl-C, SIGTERM, the end of the terminal, or the end of the npm process that started this one, which
 * does not pass signals on. `onSecond` is called when somebody asks again because the end takes too long.
 */
export function watchInterruption(onSecond: () => void): AbortSignal {
  const controller = new AbortController();
  const interrupt = (by: string) => {
    if (controller.signal.aborted) onSecond();
    else controller.abort(new Interrupted(by));
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, interrupt);
  if (startedByNpm()) {
    const parent = process.ppid;
    const timer = setInterval(() => {
      if (process.ppid === parent) return;
      clearInterval(timer);
      interrupt('the end of npm');
    }, PARENT_CHECK_MS).unref();
  }
  return controller.signal;
}
