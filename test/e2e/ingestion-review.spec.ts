import { testApp, type TestApp } from '../support/test-app.js';

interface DocumentBody {
  id: string;
  stages: { name: string; gate: object | null }[];
}

describe('a review of what a worker has read', () => {
  let app: TestApp;
  beforeAll(async () => {
    app = await testApp({ GATE_GARBLED_REVIEW: '0.01' });
  });
  afterAll(() => app.close());

  async function upload(text: string): Promise<DocumentBody> {
    const body = new FormData();
    body.append('file', new File([text], 'plan.txt'));
    const response = await app.fetch('/v1/documents', { method: 'POST', body, headers: app.admin });
    return (await response.json()) as DocumentBody;
  }

  const watch = async (id: string) =>
    (await app.fetch(`/v1/documents/${id}/events`, { headers: app.admin })).text();

  it('stops a garbled document before questions find it, and lets it through when a person says so', async () => {
    const line = 'The deductible is (cid:12)(cid:7) for one person, and (cid:9) for a family.\n';
    const { id } = await upload(line.repeat(20));
    const events = await watch(id);
    expect(events).toContain('"status":"needs_review"');
    expect(events).not.toContain('event: done');
    const before = (await (
      await app.fetch(`/v1/documents/${id}`, { headers: app.admin })
    ).json()) as DocumentBody;
    expect(before).toMatchObject({ answerable: 'none', reason: { code: 'garbled-text' } });
    const extract = before.stages.find((stage) => stage.name === 'extract')!;
    expect(extract.gate).toMatchObject({ outcome: 'needs_review' });

    const review = await app.fetch(`/v1/documents/${id}/review`, {
      json: { decision: 'approve' },
      headers: app.admin,
    });
    expect(review.status).toBe(202);
    expect(await watch(id)).toContain('event: done');

    const metrics = await (await app.fetch('/metrics', { headers: app.admin })).text();
    expect(metrics).toMatch(
      /^navigator_ingestion_gate_checks_total\{stage="extract",check="garbled-text",outcome="needs_review"\} \d+$/m,
    );
    expect(metrics).toMatch(/^navigator_ingestion_stage_bytes_total\{stage="extract"\} \d+$/m);
    expect(metrics).toMatch(
      /^navigator_ingestion_checkpoint_seconds_count\{stage="structure",operation="write"\} \d+$/m,
    );
    expect(metrics).toMatch(/^navigator_ingestion_child_peak_bytes_count\{program="parser-process"\} [1-9]/m);
    expect(metrics).toMatch(/^navigator_worker_last_progress_seconds \d/m);
    const health = (await (await app.fetch('/health')).json()) as {
      components: Record<string, { status: string }>;
    };
    expect(health.components['ingestion-worker']).toMatchObject({ status: 'up', stuck_jobs: 0 });
  });
});
