import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FileAnchor, WebhookAnchor } from './anchors.js';

const checkpoint = (no: number) => ({
  no,
  at: '2026-11-03T10:00:00.000Z',
  logSize: no,
  note: `note ${no}\n`,
});

describe('an anchor', () => {
  it('in a file has a line for each checkpoint, for its owner alone', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'audit-anchor-'));
    try {
      const path = join(folder, 'elsewhere', 'checkpoints.ndjson');
      const anchor = new FileAnchor(path);
      await anchor.keep(checkpoint(1));
      await anchor.keep(checkpoint(2));
      const lines = (await readFile(path, 'utf8')).split('\n');
      expect(lines.pop()).toBe('');
      expect(lines.map((line) => JSON.parse(line) as object)).toEqual(
        [1, 2].map((no) => ({ no, at: '2026-11-03T10:00:00.000Z', note: `note ${no}\n` })),
      );
      expect((await stat(path)).mode & 0o777).toBe(0o600);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  it('at a webhook sends each under the same id every time', async () => {
    const sent: [string, unknown][] = [];
    const anchor = new WebhookAnchor({
      async send(id, body) {
        sent.push([id, JSON.parse(body)]);
      },
    });
    await anchor.keep(checkpoint(7));
    expect(sent).toEqual([
      [
        'audit-checkpoint-7',
        {
          type: 'audit.checkpoint',
          timestamp: '2026-11-03T10:00:00.000Z',
          data: { no: 7, note: 'note 7\n' },
        },
      ],
    ]);
  });
});
