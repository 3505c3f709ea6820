import { testApp } from '../support/test-app.js';

describe('metrics', () => {
  it('are shown by every program of a process, also after another one has ended', async () => {
    const first = await testApp({ ROLE: 'api' });
    expect((await first.fetch('/metrics', { headers: first.admin })).status).toBe(200);
    await first.close();
    const second = await testApp({ ROLE: 'api' });
    try {
      const response = await second.fetch('/metrics', { headers: second.admin });
      expect(response.status).toBe(200);
      const open = /^navigator_database_connections\{state="open"\} (\d+)$/m.exec(await response.text());
      expect(Number(open?.[1])).toBeGreaterThan(0);
    } finally {
      await second.close();
    }
  }, 120_000);
});
