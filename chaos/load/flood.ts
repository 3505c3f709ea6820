/**
 * One client that asks far more than it may, as a process of its own: `node dist/chaos/load/flood.js <url> <key>
 * <per second> <seconds>`. Prints what it was answered, as JSON.
 */
import { setTimeout as delay } from 'node:timers/promises';

const [url, key, perSecond, seconds] = process.argv.slice(2) as [string, string, string, string];

export interface FloodReport {
  sent: number;
  /** 429 with Retry-After and RateLimit headers. */
  refused: number;
  answered: number;
  /** By status, or the error's code. */
  otherwise: Record<string, number>;
}

const report: FloodReport = { sent: 0, refused: 0, answered: 0, otherwise: {} };
const open = new Set<Promise<void>>();
const startedAt = performance.now();
for (let spent = 0; spent < Number(seconds); spent = (performance.now() - startedAt) / 1_000) {
  for (; report.sent < spent * Number(perSecond); report.sent++) {
    const sent: Promise<void> = search().finally(() => open.delete(sent));
    open.add(sent);
  }
  await delay(10);
}
await Promise.all(open);
console.log(JSON.stringify(report));

async function search(): Promise<void> {
  try {
    const response = await fetch(`${url}/v1/search`, {
      method: 'POST',
      body: JSON.stringify({ query: 'physiotherapy', limit: 1 }),
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    });
    await response.arrayBuffer();
    if (response.ok) report.answered++;
    else if (response.status === 429 && saysWhen(response.headers)) report.refused++;
    else count(response.status === 429 ? '429 without these headers' : `${response.status}`);
  } catch (error) {
    count((error as { cause?: { code?: string } }).cause?.code ?? 'no answer');
  }
}

function saysWhen(headers: Headers): boolean {
  return headers.has('retry-after') && [...headers.keys()].some((name) => name.startsWith('ratelimit'));
}

function count(what: string): void {
  report.otherwise[what] = (report.otherwise[what] ?? 0) + 1;
}
