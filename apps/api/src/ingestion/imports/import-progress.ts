import { DOCUMENT_STATUSES } from '../documents/document.js';
import type { Import } from './import.js';
import { ITEM_STATES } from './import.js';
import type { ImportBody, ItemBody } from './import.dto.js';
import type { Tally } from './import.store.js';

/** An import as people see it. `tallies` are its own. */
export function toImportBody(batch: Import, tallies: readonly Tally[], now = new Date()): ImportBody {
  const sum = (of: (tally: Tally) => number) => tallies.reduce((total, tally) => total + of(tally), 0);
  const total = sum(({ count }) => count);
  const done = sum((tally) => tally.done);
  const isFinished = batch.finishedAt !== null && batch.state !== 'cancelled';
  const countIf = (matches: (tally: Tally) => boolean) => sum((tally) => (matches(tally) ? tally.count : 0));
  const counted = <Name extends string>(names: readonly Name[], of: (tally: Tally) => string | null) =>
    Object.fromEntries(names.map((name) => [name, countIf((tally) => of(tally) === name)])) as Record<
      Name,
      number
    >;
  return {
    id: batch.id,
    state: isFinished ? 'finished' : batch.state,
    receiving: batch.isReceiving,
    visibility: batch.visibility,
    collection: batch.collection,
    tags: batch.tags,
    priority: batch.priority,
    items: { total, ...counted(ITEM_STATES, (tally) => tally.state) },
    documents: counted(DOCUMENT_STATUSES, (tally) => tally.documentStatus),
    percent: total === 0 ? (isFinished ? 100 : 0) : Math.floor((100 * done) / total + ROUNDING),
    eta_seconds: etaSeconds(batch, tallies, now),
    created_at: batch.createdAt.toISOString(),
    finished_at: batch.finishedAt?.toISOString() ?? null,
  };
}

/** Sums of real numbers fall a little short of whole ones. */
const ROUNDING = 1e-6;

/** Undetermined while nothing has come to its end, and while nobody knows what is in an archive. */
function etaSeconds(batch: Import, tallies: readonly Tally[], now: Date): number | null {
  const { state, finishedAt, isReceiving, rateSince } = batch;
  const isOpen = ({ state }: Tally) => state === 'waiting' || state === 'running';
  if (state !== 'running' || finishedAt || isReceiving) return null;
  if (tallies.some((tally) => tally.isArchive && isOpen(tally))) return null;
  const recent = tallies.reduce((total, tally) => total + tally.recent, 0);
  const remaining = tallies.reduce((total, { count, done }) => total + count - done, 0);
  const elapsedSeconds = (now.getTime() - rateSince.getTime()) / 1_000;
  if (recent === 0 || elapsedSeconds <= 0) return null;
  return Math.ceil((remaining * elapsedSeconds) / recent);
}

export interface ImportEvent {
  event: 'import' | 'item' | 'progress' | 'done';
  data: unknown;
}

export interface ImportView {
  body: ImportBody;
  items: readonly ItemBody[];
}

/**
 * What a watcher has to be told when an import went from `before` (undefined: he knows nothing yet) to `now`. `done` is
 * the last.
 */
export function importEvents(before: ImportView | undefined, now: ImportView): ImportEvent[] {
  const events: ImportEvent[] = [];
  if (!before || before.body.state !== now.body.state) events.push({ event: 'import', data: now.body });
  if (before) {
    const known = new Map(before.items.map((item) => [item.ordinal, item]));
    for (const item of now.items)
      if (differs(known.get(item.ordinal), item)) events.push({ event: 'item', data: item });
    const { percent, eta_seconds, items, documents } = now.body;
    const progress = { percent, eta_seconds, items, documents };
    if (!isSame(before.body, now.body)) events.push({ event: 'progress', data: progress });
  }
  if (now.body.finished_at !== null) events.push({ event: 'done', data: now.body });
  return events;
}

function differs(known: ItemBody | undefined, item: ItemBody): boolean {
  return known?.state !== item.state || known.document?.status !== item.document?.status;
}

function isSame(a: ImportBody, b: ImportBody): boolean {
  const shown = ({ percent, items, documents }: ImportBody) => JSON.stringify([percent, items, documents]);
  return shown(a) === shown(b);
}
