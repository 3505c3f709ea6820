import { setTimeout as delay } from 'node:timers/promises';
import type { Target } from '../load/client.js';
import type { Replica } from './replica.js';

const CHECK_MS = 250;
const CHECK_LIMIT_MS = 1_500;

/** Sends each call to the next replica that says it is ready, as a load balancer does; to any when none is. */
export class Balancer {
  private readonly stopping = new AbortController();
  private ready: Replica[];
  private turn = 0;
  private readonly checking: Promise<void>;

  constructor(private readonly replicas: readonly Replica[]) {
    this.ready = [...replicas];
    this.checking = replicas.length > 1 ? this.check() : Promise.resolve();
  }

  next(): Target {
    const list = this.ready.length > 0 ? this.ready : this.replicas;
    return list[this.turn++ % list.length]!;
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.checking;
  }

  private async check(): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted) {
      const states = await Promise.all(this.replicas.map(isReady));
      this.ready = this.replicas.filter((_, i) => states[i]);
      await delay(CHECK_MS, undefined, { signal }).catch(() => undefined);
    }
  }
}

export async function isReady({ url }: Replica): Promise<boolean> {
  const signal = AbortSignal.timeout(CHECK_LIMIT_MS);
  const response = await fetch(`${url}/health/ready`, { signal }).catch(() => undefined);
  await response?.arrayBuffer().catch(() => undefined);
  return response?.ok ?? false;
}
