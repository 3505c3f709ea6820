import { createServer } from 'node:net';
import { EmbeddedPostgresError } from './embedded-postgres.errors.js';

/**
 * Runs `launch` with the wanted port, or else with a free one. Between finding a free port and using it somebody
 * may be faster; then another one is tried.
 * @throws EmbeddedPostgresError `port-taken` when the wanted port is not free; otherwise what `launch` threw
 */
export async function onFreePort<T>(
  wanted: number | undefined,
  launch: (port: number) => Promise<T>,
  findPort: () => Promise<number> = findFreePort,
): Promise<T> {
  if (wanted !== undefined) await requireFree(wanted);
  for (let attempt = 1; ; attempt++) {
    const port = wanted ?? (await findPort());
    try {
      return await launch(port);
    } catch (error) {
      if (wanted !== undefined) await requireFree(wanted);
      if (attempt === MAX_ATTEMPTS || (await isFree(port))) throw error;
    }
  }
}

const MAX_ATTEMPTS = 5;
const LOOPBACK = '127.0.0.1';

async function requireFree(port: number): Promise<void> {
  if (await isFree(port)) return;
  throw new EmbeddedPostgresError('port-taken', `Port ${port} on ${LOOPBACK} is taken by another program`);
}

async function isFree(port: number): Promise<boolean> {
  return (await listenBriefly(port)) !== undefined;
}

async function findFreePort(): Promise<number> {
  const port = await listenBriefly(0);
  if (port === undefined) throw new EmbeddedPostgresError('port-taken', `No port is free on ${LOOPBACK}`);
  return port;
}

/** The port that could be listened on; undefined when it is taken. */
function listenBriefly(port: number): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' ? resolve(undefined) : reject(error),
    );
    server.listen({ port, host: LOOPBACK, exclusive: true }, () => {
      const { port: found } = server.address() as { port: number };
      server.close(() => resolve(found));
    });
  });
}
