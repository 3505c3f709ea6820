import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import { gateOf } from './pool/index.js';

export interface Listener {
  close(): Promise<void>;
}

/** Doubled with each attempt that fails, and a random half of it left out. */
const RECONNECT_MS = 500;
const LONGEST_RECONNECT_MS = 10_000;
const CONNECT_TIMEOUT_MS = 3_000;

/**
 * Hears `NOTIFY channel` on a connection of its own and reconnects by itself. Notifications sent while it is not
 * connected are lost: they only ever wake somebody who would look by himself a little later.
 */
export function listen(url: string, channel: string, onMessage: (payload: string) => void): Listener {
  const closing = new AbortController();
  let current: Client | undefined;
  let failures = 0;

  const session = async () => {
    await gateOf(url).pass();
    const client = new Client({
      connectionString: url,
      application_name: 'navigator-listen',
      // A server that accepts and then says nothing would otherwise keep `close` waiting for ever.
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      keepAlive: true,
      keepAliveInitialDelayMillis: 10_000,
    });
    const ended = new Promise<void>((resolve) => client.once('end', resolve));
    client.on('error', () => undefined); // `end` follows; that is where we start again.
    client.on('notification', (message) => onMessage(message.payload ?? ''));
    await client.connect().catch((error: unknown) => {
      gateOf(url).failed(error);
      throw error;
    });
    current = client;
    if (closing.signal.aborted) await client.end();
    else await client.query(`listen ${client.escapeIdentifier(channel)}`);
    failures = 0;
    await ended;
    gateOf(url).doubt();
  };

  const running = (async () => {
    while (!closing.signal.aborted) {
      await session().catch(() => undefined);
      const longest = Math.min(LONGEST_RECONNECT_MS, RECONNECT_MS * 2 ** ++failures);
      await delay(longest * (1 - Math.random() / 2), undefined, { signal: closing.signal }).catch(
        () => undefined,
      );
    }
  })();

  return {
    async close() {
      closing.abort();
      await current?.end().catch(() => undefined);
      await running;
    },
  };
}
