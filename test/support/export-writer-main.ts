import { join } from 'node:path';
import { AuditKeys } from '#libs/audit';
import { openPool, TenantDb } from '#libs/database';
import {
  type ExportConfig,
  ExportFiles,
  ExportKind,
  ExportKinds,
  ExportRunner,
  type ExportSink,
} from '#libs/exports';
import { withoutPolicy } from './test-database.js';

/** Takes an export up, writes a part of it, says so and goes on for ever: to be killed. */
class Endless extends ExportKind {
  override readonly kind = 'letters';
  override fileOf = () => ({ name: 'letters.txt', mediaType: 'text/plain' });
  override async write(_: unknown, out: ExportSink): Promise<never> {
    await out.write('half of ');
    process.stdout.write('writing\n');
    setInterval(() => undefined, 60_000);
    return new Promise(() => undefined);
  }
}

const [url, folder, config] = process.argv.slice(2) as [string, string, string];
const kinds = new ExportKinds();
kinds.register(new Endless());
const runner = new ExportRunner(
  new TenantDb(await openPool(url, 2), 30_000, withoutPolicy),
  kinds,
  new ExportFiles(join(folder, 'files')),
  await AuditKeys.load(join(folder, 'keys.json')),
  JSON.parse(config) as ExportConfig,
);
const job = await runner.claim();
if (job) await runner.work(job);
