import { INGESTION_STAGES, type StageName } from '../workflow/ingestion-stages.js';
import type { StageState } from './document.js';

/** How fast the tenant's documents went lately. */
export interface Pace {
  /** By stage. */
  secondsPerByte: ReadonlyMap<string, number>;
}

/** Too little to reckon from: less of a stage than this, or stages that together are less of the whole. */
const LEAST_PROGRESS = 0.05;
const LEAST_SHARE = 0.2;
/** Of what is overdue, this much is still to come. */
const OVERDUE = 0.1;

/**
 * Seconds until a document that is worked on will be done, along the longest way through its stages. What a stage takes
 * is reckoned from its own progress, else from how long it took with the tenant's last documents, else from the stages
 * of this document that are done and their shares. Undefined when none of these tells anything.
 */
export function remainingSeconds(
  stages: readonly StageState[],
  sizeBytes: number,
  pace: Pace | undefined,
  now: Date,
): number | undefined {
  const states = new Map(stages.map((stage) => [stage.name, stage]));
  const wholeSeconds = secondsOfTheWhole(stages);
  const ends = new Map<StageName, number>();
  for (const { name, after, share } of INGESTION_STAGES) {
    const perByte = pace?.secondsPerByte.get(name);
    const usual = perByte === undefined ? wholeSeconds && wholeSeconds * share : perByte * sizeBytes;
    const own = remainingOf(states.get(name), usual, now);
    if (own === undefined) return undefined;
    ends.set(name, Math.max(0, ...after.map((other) => ends.get(other)!)) + own);
  }
  return Math.max(...ends.values());
}

function remainingOf(
  stage: StageState | undefined,
  usual: number | undefined,
  now: Date,
): number | undefined {
  if (stage?.status === 'done') return 0;
  const { progress = 0, startedAt = null, progressedAt = null, startedProgress = 0 } = stage ?? {};
  if (stage?.status !== 'running' || !startedAt) return usual && usual * (1 - progress);
  const gained = progress - startedProgress;
  if (!progressedAt || gained < LEAST_PROGRESS)
    return usual && notOverdue(usual * (1 - startedProgress), secondsBetween(startedAt, now));
  const measured = secondsBetween(startedAt, progressedAt) / gained;
  // The further it is, the more its own pace counts.
  const total = usual === undefined ? measured : progress * measured + (1 - progress) * usual;
  return notOverdue((1 - progress) * total, secondsBetween(progressedAt, now));
}

/** From the stages that are done and what they are of the whole. */
function secondsOfTheWhole(stages: readonly StageState[]): number | undefined {
  let seconds = 0;
  let shares = 0;
  for (const { name, share } of INGESTION_STAGES) {
    const stage = stages.find((other) => other.name === name);
    if (stage?.status !== 'done' || !stage.startedAt || !stage.finishedAt) continue;
    seconds += secondsBetween(stage.startedAt, stage.finishedAt);
    shares += share;
  }
  return shares >= LEAST_SHARE ? seconds / shares : undefined;
}

function notOverdue(expected: number, elapsed: number): number {
  return Math.max(expected - elapsed, expected * OVERDUE);
}

function secondsBetween(from: Date, to: Date): number {
  return Math.max(0, to.getTime() - from.getTime()) / 1_000;
}
