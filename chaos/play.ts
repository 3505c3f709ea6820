import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Cell, Expectation, Play } from './cell.js';
import { expectThat } from './cell.js';
import { type CheckResult, runChecks, StateWatcher } from './checks/index.js';
import { Evidence, type Snapshot } from './evidence.js';
import { Balancer } from './harness/balancer.js';
import { until } from './harness/until.js';
import type { World } from './harness/world.js';
import { BackgroundLoad } from './load/background-load.js';
import { Client } from './load/client.js';
import { History } from './load/history.js';
import { firstQuestions, QUESTIONS } from './load/operations.js';
import { levelsOn, measureRecovery } from './load/recovery.js';

const STEADY_LIMIT_MS = 60_000;
/** The last so many calls before a fault were all full. */
const STEADY_CALLS = 25;
const GRACE_MS = 15_000;
/** The program reports a level as full after it was so for 10 s; and we look every 250 ms. */
export const REPORTED_LATER_MS = 12_000;
/** Waited for beyond the bound, so that the scorecard can say by how much it was missed. */
const WATCH_LONGER_MS = 30_000;

export interface Played {
  cell: Cell;
  evidence: Evidence;
  expectations: Expectation[];
  checks: CheckResult[];
  seconds: number;
  historyPath: string;
}

/** Load, fault, healing, recovery, checks. @throws when the program is not well even before the fault */
export async function play(cell: Cell, world: World, folder: string): Promise<Played> {
  const startedAt = performance.now();
  const history = new History(join(folder, `${cell.id}.jsonl`));
  const balancer = new Balancer(world.replicas);
  const client = new Client(history, world.tenants, () => balancer.next());
  const evidence = new Evidence(history.operations);
  evidence.start = await snapshots(world);
  const watcher = new StateWatcher(world, history);
  const load = new BackgroundLoad(client, world.tenants, {
    perSecond: cell.perSecond ?? 10,
    seed: seedOf(cell),
  });
  const logSizes = await Promise.all(world.replicas.map(({ logPath }) => sizeOf(logPath)));
  try {
    await Promise.all(firstQuestions(world.tenants).map((call) => client.send(call)));
    await delay((cell.steadySeconds ?? 0) * 1_000);
    await untilSteady(world, history);
    evidence.before = await snapshots(world);
    await world.primary.forget();
    const current = { cell, world, client, history, operator: world.operator, notes: {} };
    await breakAndHeal(current, evidence);
    await load.stop(GRACE_MS);
    history.phase = 'healed';
    evidence.after = await snapshots(world);
    await watcher.stop();
    const expectations = [...alwaysExpected(cell, evidence), ...(await cell.expects(evidence, current))];
    const log = await logSince(world, logSizes);
    const checks = await runChecks({ cell, world, history, evidence, log });
    const seconds = (performance.now() - startedAt) / 1_000;
    return { cell, evidence, expectations, checks, seconds, historyPath: history.path };
  } finally {
    await load.stop(0);
    await watcher.stop();
    await balancer.stop();
    await history.close();
  }
}

async function breakAndHeal(current: Play, evidence: Evidence): Promise<void> {
  const { cell, world, client, history } = current;
  history.phase = 'fault';
  evidence.faultDate = new Date();
  try {
    await cell.begin(current);
    evidence.brokenDate = new Date();
    await (cell.during?.(current) ?? delay(cell.seconds * 1_000));
  } finally {
    evidence.duringCalls = (await world.primary.stats()).calls.chat;
    await cell.heal(current);
  }
  history.phase = 'recovery';
  evidence.healedDate = new Date();
  const limitMs = cell.recoverWithinMs + REPORTED_LATER_MS + WATCH_LONGER_MS;
  evidence.recovery = await measureRecovery(world, client, limitMs);
  evidence.upstreamCalls = (await world.primary.stats()).calls.chat;
}

function alwaysExpected(cell: Cell, evidence: Evidence): Expectation[] {
  const { requestsMs, reportedMs, lastReason } = evidence.recovery;
  const strange = evidence.levelsSeen.filter((level) => !cell.levels.includes(level));
  return [
    expectThat(
      strange.length === 0,
      `levels ${evidence.levelsSeen.join(', ') || 'none'} (allowed: ${cell.levels.join(', ')})`,
    ),
    expectThat(
      requestsMs !== undefined && requestsMs <= cell.recoverWithinMs,
      `full answers ${inSeconds(requestsMs)} after the fault (bound ${inSeconds(cell.recoverWithinMs)})`,
    ),
    expectThat(
      reportedMs !== undefined && reportedMs <= cell.recoverWithinMs + REPORTED_LATER_MS,
      `reported as full ${inSeconds(reportedMs)} after it (bound ${inSeconds(cell.recoverWithinMs + REPORTED_LATER_MS)}${lastReason ? `; last of all: ${lastReason}` : ''})`,
    ),
  ];
}

export const inSeconds = (ms: number | undefined) =>
  ms === undefined ? 'never' : `${(ms / 1_000).toFixed(1)} s`;

/** @throws with what is wrong */
async function untilSteady(world: World, history: History): Promise<void> {
  const lastCalls = () => history.operations.slice(-STEADY_CALLS);
  const isWell = async () => {
    const calls = lastCalls();
    if (calls.length < STEADY_CALLS || !calls.every(isFull)) return false;
    const pages = await Promise.all(world.replicas.map((replica) => world.operator.levels(replica)));
    return pages.every((page) => page === undefined || levelsOn(page).every((level) => level === 'full'));
  };
  if (await until(isWell, STEADY_LIMIT_MS)) return;
  const bad = lastCalls().filter((operation) => !isFull(operation));
  throw new Error(
    `not well before the fault: ${bad.map(({ kind, status, code, level }) => `${kind} ${status} ${code ?? level}`).join(', ') || 'levels'}`,
  );
}

const isFull = ({ kind, outcome, level }: { kind: string; outcome: string; level?: string }) =>
  outcome === 'ok' && (!QUESTIONS.has(kind) || level === 'full');

function snapshots(world: World): Promise<Snapshot[]> {
  return Promise.all(
    world.replicas
      .filter(({ isRunning }) => isRunning)
      .map(async (replica) => ({
        replica: replica.name,
        pid: replica.pid,
        openFiles: await replica.openFiles(),
        memoryBytes: await replica.memory(),
        metrics: await world.operator.metrics(replica),
      })),
  );
}

async function logSince(world: World, sizes: readonly number[]): Promise<string> {
  const parts = await Promise.all(
    world.replicas.map(async ({ logPath }, i) =>
      (await readFile(logPath)).subarray(sizes[i]).toString('utf8'),
    ),
  );
  return [...parts, ...world.replicas.map(({ announced }) => announced)].join('\n');
}

const sizeOf = async (path: string) => (await stat(path).catch(() => ({ size: 0 }))).size;

/** The same cell has the same load every time. */
const seedOf = ({ id }: Cell) => Number.parseInt(id.slice(1)) + 1_000;
