import { once } from 'node:events';
import { createReadStream, createWriteStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { finished } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import {
  type AnchoredCheckpoint,
  type ArchiveRecord,
  ArchiveVerifier,
  AuditKeys,
  auditPaths,
  decodeVerifier,
  EXIT_CODES,
  readArchive,
  type Verdict,
} from '#libs/audit';
import { loadConfig } from '#libs/config';
import { runningEmbeddedUrl, startEmbeddedPostgres, withClient } from '#libs/database';
import { sections } from './app.config.js';

const HELP = `Verifies the audit log.

  --archive FILE   verify this archive instead of the database
  --write FILE     also write what was read from the database as an archive
  --anchors FILE   checkpoints that were kept elsewhere (may be given again); unless given, AUDIT_ANCHOR_FILE
  --key KEY        a verifier key (may be given again); unless given, those of AUDIT_KEY_FILE
  --json           print the verdict as JSON

It reads the database of DATABASE_URL, or the embedded one in DATA_DIR, running or not.
Exit code: 0 clean, 1 tampered, 2 incomplete, 3 it could not be verified.
`;
const EXIT_UNVERIFIABLE = 3;

export interface VerifyOptions {
  archive?: string;
  write?: string;
  anchors: readonly string[];
  keys: readonly string[];
}

type AuditConfig = ReturnType<typeof loadConfig<typeof sections>>;

/** Reads the log, or an archive of it, and judges it. */
export async function verifyAudit(options: VerifyOptions, config: AuditConfig): Promise<Verdict> {
  const paths = auditPaths(config.audit, resolve(config.server.dataDir));
  const verifiers =
    options.keys.length > 0
      ? options.keys.map(decodeVerifier)
      : (await AuditKeys.load(paths.keyFile)).verifiers;
  const anchorFiles = options.anchors.length > 0 ? options.anchors : [paths.anchorFile];
  const verifier = new ArchiveVerifier(verifiers, (await Promise.all(anchorFiles.map(readAnchors))).flat());
  const accept = (record: ArchiveRecord) => verifier.accept(record);
  if (options.archive)
    for await (const line of linesOf(options.archive)) accept(JSON.parse(line) as ArchiveRecord);
  else await readDatabase(config, accept, options.write);
  return verifier.verdict();
}

async function readDatabase(
  config: AuditConfig,
  accept: (record: ArchiveRecord) => void,
  path: string | undefined,
): Promise<void> {
  const dataDir = join(resolve(config.server.dataDir), 'postgres');
  const running = config.database.url ?? (await runningEmbeddedUrl(dataDir));
  const started = running ? undefined : await startEmbeddedPostgres({ dataDir, log: () => undefined });
  const file = path ? createWriteStream(path, { mode: 0o600 }) : undefined;
  try {
    await withClient(running ?? started!.url, async (client) => {
      for await (const record of readArchive(client)) {
        accept(record);
        if (file && !file.write(`${JSON.stringify(record)}\n`)) await once(file, 'drain');
      }
    });
    if (file) await finished(file.end());
  } finally {
    file?.destroy();
    await started?.stop();
  }
}

/** A file that is not there anchors nothing, which the verdict says. */
async function readAnchors(path: string): Promise<AnchoredCheckpoint[]> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  // The last line may be one that a crash cut off.
  const lines = text.split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line) as AnchoredCheckpoint);
}

const linesOf = (path: string) => createInterface({ input: createReadStream(path), crlfDelay: Infinity });

function show({ status, findings, incomplete, counts }: Verdict): string {
  const lines = findings.map(({ kind, detail, tenant_id, leaf_index, before, event_id }) => {
    const leaves =
      leaf_index === undefined ? '' : ` leaf ${leaf_index}${before === undefined ? '' : ` to ${before}`}`;
    return `${kind}: ${detail} (${tenant_id ? `tenant ${tenant_id}` : 'log'}${leaves}${event_id ? `, event ${event_id}` : ''})`;
  });
  const summary = Object.entries(counts).map(([name, count]) => `${count} ${name}`);
  return [
    ...lines,
    ...incomplete.map((text) => `incomplete: ${text}`),
    `${status}: ${summary.join(', ')}`,
  ].join('\n');
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      archive: { type: 'string' },
      write: { type: 'string' },
      anchors: { type: 'string', multiple: true, default: [] },
      key: { type: 'string', multiple: true, default: [] },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return void process.stdout.write(HELP);
  const verdict = await verifyAudit({ ...values, keys: values.key }, loadConfig(sections));
  process.stdout.write(`${values.json ? JSON.stringify(verdict, null, 2) : show(verdict)}\n`);
  process.exitCode = EXIT_CODES[verdict.status];
}

if (import.meta.main)
  await main().catch((error: unknown) => {
    process.stderr.write(`${(error as Error).message}\n`);
    process.exitCode = EXIT_UNVERIFIABLE;
  });
