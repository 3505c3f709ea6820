import { type DocumentBody, type StageBody } from './document.dto.js';

export interface ProgressEvent {
  event: 'status' | 'stage' | 'progress' | 'done' | 'error';
  data: unknown;
}

/**
 * What a watcher has to be told when a document went from `before` (undefined: he knows nothing yet) to `now`. The
 * last event of a document that rests is `done`, `error` when it failed, or its last `status`.
 */
export function progressEvents(before: DocumentBody | undefined, now: DocumentBody): ProgressEvent[] {
  const events: ProgressEvent[] = [];
  for (const stage of now.stages) {
    const known = before?.stages.find((other) => other.name === stage.name);
    if (!known || differs(known, stage)) events.push({ event: 'stage', data: stage });
  }
  if (before?.percent !== now.percent)
    events.push({ event: 'progress', data: { percent: now.percent, expected_at: now.expected_at } });
  if (before?.status !== now.status || before?.answerable !== now.answerable) {
    const { status, answerable, reason } = now;
    events.push({ event: 'status', data: { status, answerable, ...(reason && { reason }) } });
  }
  if (now.status === 'ready') events.push({ event: 'done', data: now });
  if (now.status === 'failed') events.push({ event: 'error', data: { ...now.reason, retryable: false } });
  return events;
}

function differs(a: StageBody, b: StageBody): boolean {
  return a.status !== b.status || a.attempts !== b.attempts || a.started_at !== b.started_at;
}
