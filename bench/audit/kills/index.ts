import { setTimeout as delay } from 'node:timers/promises';
import { pick } from '../../../chaos/harness/random.js';
import { type Judgement, judge } from './judgement.js';
import { KilledInstallation, type Victim, VICTIMS } from './killed-installation.js';
import { MutatingClients } from './mutating-clients.js';

const CLIENTS = 8;
/** So many kill at the same time, each another victim: a process also ends while another comes back. */
const KILLERS = 3;
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
    const spared = new Set<Victim>(VICTIMS);
    let [begun, done] = [0, 0];
    // Who is asked to end judges what there is by then.
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => (begun = kills));
    const killer = async () => {
      while (++begun <= kills) {
        // Each of them once, and then whoever it hits.
        const victim = begun <= VICTIMS.length ? VICTIMS[begun - 1]! : pick(random, [...spared]);
        spared.delete(victim);
        await installation.untilReady(victim);
        await delay(random() * KILL_WITHIN_MS);
        await installation.kill(victim);
        spared.add(victim);
        counts[victim] += 1;
        told(++done);
      }
    };
    await Promise.all(Array.from({ length: KILLERS }, killer));
    for (const victim of VICTIMS) await installation.untilReady(victim);
    await delay(KILL_WITHIN_MS);
    await clients.end();
    return { kills: counts, ...(await judge(installation, clients.mutations)) };
  } finally {
    await installation.stop();
  }
}
