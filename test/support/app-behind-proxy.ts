import { type FaultProxy, startFaultProxyFor } from './fault-proxy.js';
import { testApp, type TestApp } from './test-app.js';

/** The program, as `ROLE=api`, with a fault proxy between it and its database. */
export async function appBehindProxy(): Promise<{ app: TestApp; proxy: FaultProxy; close(): Promise<void> }> {
  const server = process.env.TEST_POSTGRES_URL!;
  const proxy = await startFaultProxyFor(server);
  process.env.TEST_POSTGRES_URL = proxy.through(server);
  const app = await testApp({ ROLE: 'api' });
  return {
    app,
    proxy,
    async close() {
      await proxy.heal();
      await app.close();
      await proxy.close();
      process.env.TEST_POSTGRES_URL = server;
    },
  };
}
