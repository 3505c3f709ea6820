import { documentMaker } from '../support/documents.js';
import { eventually } from '../support/operator.js';
import { testApp, type TestApp } from '../support/test-app.js';

describe('a process that takes no jobs itself', () => {
  let app: TestApp;
  beforeAll(async () => {
    app = await testApp({ ROLE: 'api' });
  });
  afterAll(() => app.close());

  it('shows in its metrics how many jobs wait for a worker, and for how long', async () => {
    await documentMaker(app.db).addDocument(await app.db.createTenant());
    await app.db.owner.query(`update job set run_at = now() - interval '1 hour'`);
    // The figures of a look at the queue are shown for two seconds.
    const text = await eventually(
      async () => (await app.fetch('/metrics', { headers: app.admin })).text(),
      (metrics) => /^navigator_ingestion_queue_jobs 1$/m.test(metrics),
    );
    expect(Number(/^navigator_ingestion_queue_age_seconds (.+)$/m.exec(text)![1])).toBeGreaterThanOrEqual(
      3_600,
    );
  });
});
