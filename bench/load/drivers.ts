import { setTimeout as delay } from 'node:timers/promises';
import { percentile } from '../statistics.js';
import { type Answer, Connection } from './connection.js';
import { questionOf, type Tenant } from './tenants.js';

export interface Target {
  url: URL;
  /** Fresh for every question, or answers would come from the cache. */
  nextNumber(): number;
  /** What is asked of a conversation; its questions unless given. */
  route?: string;
}

const MOST_CONNECTIONS = 4_000;
const TICK_MS = 5;

/** What came of the requests of one run. */
export class Tally {
  readonly accepted: number[] = [];
  readonly shed: number[] = [];
  /** Of clients who were told to wait and did not. */
  readonly shedEarly: number[] = [];
  limited = 0;
  failed = 0;
  /** How many were answered before the run's end: a queue that is worked off afterwards is no work of its time. */
  inTime = 0;

  add({ status, ms, isEarly }: Answer, endsAt = Infinity): void {
    if (status === 200 && performance.now() < endsAt) this.inTime++;
    if (status === 200) this.accepted.push(ms);
    else if (status === 503) (isEarly ? this.shedEarly : this.shed).push(ms);
    else if (status === 429) this.limited++;
    else this.failed++;
  }

  merge(other: Tally): void {
    for (const kind of ['accepted', 'shed', 'shedEarly'] as const) this[kind].push(...other[kind]);
    this.inTime += other.inTime;
    this.limited += other.limited;
    this.failed += other.failed;
  }

  get refused(): number {
    return this.shed.length + this.shedEarly.length + this.limited + this.failed;
  }

  p(share: number, kind: 'accepted' | 'shed' | 'shedEarly' = 'accepted'): number {
    return this[kind].length > 0 ? percentile(this[kind], share) : 0;
  }
}

/** `clients` who ask again as soon as they were answered; the patient ones wait as long as they are told. */
export async function closedLoop(
  target: Target,
  tenants: readonly Tenant[],
  { clients, ms, patient }: { clients: number; ms: number; patient: boolean },
): Promise<Tally> {
  const tally = new Tally();
  const end = performance.now() + ms;
  const client = async (i: number) => {
    const connection = new Connection(target.url);
    // Not all in the same moment, as no people do.
    await delay((i / clients) * Math.min(1_000, ms / 4));
    while (performance.now() < end) {
      const answer = await ask(connection, tenants[i % tenants.length]!, target);
      if (performance.now() < end) tally.add(answer);
      if (answer.status === 0) await delay(50);
      else if (patient && answer.status !== 200)
        await delay(Math.min(answer.retryAfterMs, Math.max(0, end - performance.now())));
    }
    connection.close();
  };
  await Promise.all(Array.from({ length: clients }, (_, i) => client(i)));
  return tally;
}

/** Requests at a steady rate, whether those before were answered or not; waiting for a connection counts as waiting. */
export async function openLoop(
  target: Target,
  tenants: readonly Tenant[],
  { perSecond, ms }: { perSecond: number; ms: number },
): Promise<Tally> {
  const tally = new Tally();
  const idle: Connection[] = [];
  const all: Connection[] = [];
  const underWay = new Set<Promise<void>>();
  const startedAt = performance.now();
  const endsAt = startedAt + ms;
  const send = async (number: number) => {
    let connection = idle.pop();
    if (!connection) all.push((connection = new Connection(target.url)));
    tally.add(await ask(connection, tenants[number % tenants.length]!, target), endsAt);
    idle.push(connection);
  };
  for (let sent = 0; performance.now() < endsAt; await delay(TICK_MS)) {
    const due = Math.floor(((performance.now() - startedAt) / 1_000) * perSecond);
    for (; sent < due && (idle.length > 0 || all.length < MOST_CONNECTIONS); sent++) {
      const request: Promise<void> = send(sent).finally(() => underWay.delete(request));
      underWay.add(request);
    }
  }
  await Promise.all(underWay);
  for (const connection of all) connection.close();
  return tally;
}

function ask(
  connection: Connection,
  tenant: Tenant,
  { nextNumber, route = 'questions' }: Target,
): Promise<Answer> {
  const number = nextNumber();
  const conversation = tenant.conversationIds[number % tenant.conversationIds.length]!;
  return connection.ask(
    `/v1/conversations/${conversation}/${route}`,
    tenant.apiKey,
    JSON.stringify({ question: questionOf(number) }),
  );
}
