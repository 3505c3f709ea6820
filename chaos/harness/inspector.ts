import { once } from 'node:events';
import type { Replica } from './replica.js';

const LISTENING = /Debugger listening on (ws:\S+)/;

/** For `nodeArgs` of a program that is to be looked into. */
export const INSPECTED = '--inspect=127.0.0.1:0';

/**
 * Runs a script inside of the program through Node's inspector, so that the program needs no door for it. Resolves when it
 * has run.
 */
export async function runInside(replica: Replica, expression: string): Promise<unknown> {
  const address = LISTENING.exec(replica.announced)?.[1];
  if (!address) throw new Error(`${replica.name} was not started with ${INSPECTED}`);
  const socket = new WebSocket(address);
  await once(socket, 'open');
  try {
    const answer = once(socket, 'message') as Promise<[{ data: string }]>;
    socket.send(
      JSON.stringify({ id: 1, method: 'Runtime.evaluate', params: { expression, returnByValue: true } }),
    );
    const [{ data }] = await answer;
    const { result } = JSON.parse(data) as {
      result: { result?: { value?: unknown }; exceptionDetails?: object };
    };
    if (result.exceptionDetails)
      throw new Error(`The script failed: ${JSON.stringify(result.exceptionDetails)}`);
    return result.result?.value;
  } finally {
    socket.close();
  }
}
