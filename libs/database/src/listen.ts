import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';

export interface Listener {
  close(): Promise<void>;
}

const RECONNECT_MS = 1_000;
const CONNECT_TIMEOUT_MS = 3_000;

/**
 * Hears `NOTIFY channel` on a connection of its own and reconnects by itself. Notifications sent while it is not
 * connected are lost: they only ever wake somebody who would look by himself a little later.
 */
export function listen(url: string, channel: string, onMessage: (payload: string) => void): Listener {
  const closing = new AbortController();
  let current: Client | undefined;

  const session = async () => {
    const client = new Client({
      connectionString: url,
      application_name: 'navigator-listen',
      // A server that accepts and then says nothing would otherwise keep `close` waiting for ever.
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    });
    const ended = new Promise<void>((resolve) => client.once('end', resolve));
    client.on('error', () => undefined); // `end` follows; that is where we start again.
    client.on('notification', (message) => onMessage(message.payload ?? ''));
    await client.connect();
    current = client;
    if (closing.signal.aborted) await client.end();
    else await client.query(`listen ${client.escapeIdentifier(channel)}`);
    await ended;
  };

  const running = (async () => {
    while (!closing.signal.aborted) {
      await session().catch(() => undefined);
      await delay(RECONNECT_MS, undefined, { signal: closing.signal }).catch(() => undefined);
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
