import { setTimeout as delay } from 'node:timers/promises';
import { pick } from '../../../chaos/harness/random.js';
import { type Judgement, judge } from './judgement.js';
import { KilledInstallation, type Victim, VICTIMS } from './killed-installation.js';
import { MutatingClients } from './mutating-clients.js';

const CLIENTS = 8;
/** A kill comes at a random moment of this span after its victim was ready. */
const KILL_WITHIN_MS = 1_500;

export interface KilledRun extends Judgement {
  kills: Record<Victim, number>;
}

/** Kills what writes, what seals or what stores, again and again while clients write, and judges what is there then. */
export async function runKills(
  kills: number,
  random: () => number,
  told: (kill: number) => void = () => undefined,
): Promise<KilledRun> {
  const installation = await KilledInstallation.start();
  try {
    const clients = new MutatingClients(installation.urls, random);
    clients.begin(CLIENTS);
    const counts: Record<Victim, number> = { api: 0, 'other api': 0, sealer: 0, postgres: 0 };
    for (let kill = 1; kill <= kills; kill++) {
      // Each of them once, and then whoever it hits.
      const victim = kill <= VICTIMS.length ? VICTIMS[kill - 1]! : pick(random, VICTIMS);
      await installation.untilReady(victim);
      await delay(random() * KILL_WITHIN_MS);
      await installation.kill(victim);
      counts[victim] += 1;
      told(kill);
    }
    for (const victim of VICTIMS) await installation.untilReady(victim);
    await delay(KILL_WITHIN_MS);
    await clients.end();
    return { kills: counts, ...(await judge(installation, clients.mutations)) };
  } finally {
    await installation.stop();
  }
}
