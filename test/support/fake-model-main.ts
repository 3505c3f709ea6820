import { parseArgs } from 'node:util';
import { FakeModelServer } from './fake-model-server.js';

/**
 * The fake as a process of its own, which answers from the passages it is given until it is told otherwise:
 * `node --import ./test/support/typescript-hooks.mjs test/support/fake-model-main.ts [--port 0]`. Its address is its
 * only line of output; it ends with its parent's pipe or a signal.
 */
const { values } = parseArgs({ options: { port: { type: 'string', default: '0' } } });
const fake = await FakeModelServer.start({ port: Number(values.port), callsKept: 2_000 });
fake.say({ cited: true });
process.stdout.write(`${JSON.stringify({ url: fake.url })}\n`);

const stop = () => process.exit(0);
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.once(signal, stop);
// Only with a pipe: a terminal or /dev/null would end it at once.
if (process.env['FAKE_MODEL_STOP_WITH_STDIN']) process.stdin.on('end', stop).resume();
