import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import {
  type AnchoredCheckpoint,
  type ArchiveRecord,
  ArchiveVerifier,
  type AuditKeys,
  type Verdict,
} from '#libs/audit';
import { encodeVerifier } from '#libs/audit';
import type { Tampering } from './audit-tampering-tools.js';

const PYTHON_VERIFIER = 'tools/audit_verify.py';

/** The second verifier needs Python 3, which not every machine has. */
export const hasPython = spawnSync('python3', ['--version']).status === 0;

export function judge(
  records: Iterable<ArchiveRecord>,
  keys: Pick<AuditKeys, 'verifiers'>,
  anchors: readonly AnchoredCheckpoint[],
): Verdict {
  const verifier = new ArchiveVerifier(keys.verifiers, anchors);
  for (const record of records) verifier.accept(record);
  return verifier.verdict();
}

/** What each verifier that there is says of each archive. */
export async function judgeByBoth(
  archives: readonly ArchiveRecord[][],
  keys: Pick<AuditKeys, 'verifiers'>,
  anchors: readonly AnchoredCheckpoint[],
  anchorFile: string | undefined,
): Promise<Verdict[][]> {
  const verdicts = archives.map((each) => judge(each, keys, anchors));
  if (!hasPython) return verdicts.map((verdict) => [verdict]);
  const folder = await mkdtemp(join(tmpdir(), 'audit-archives-'));
  try {
    const python = await judgeInPython(folder, archives, keys, anchorFile);
    return verdicts.map((verdict, i) => [verdict, python.verdicts[i]!]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The verdicts of the second verifier, in the order of the files. */
export async function judgeInPython(
  folder: string,
  archives: readonly (readonly ArchiveRecord[])[],
  keys: Pick<AuditKeys, 'verifiers'>,
  anchorFile: string | undefined,
): Promise<{ verdicts: Verdict[]; exitCode: number }> {
  const files = await Promise.all(
    archives.map(async (records, i) => {
      const path = join(folder, `archive-${i}.ndjson`);
      await writeFile(path, records.map((record) => `${JSON.stringify(record)}\n`).join(''));
      return path;
    }),
  );
  return runPython(files, keys, anchorFile);
}

export async function runPython(
  files: readonly string[],
  keys: Pick<AuditKeys, 'verifiers'>,
  anchorFile?: string,
): Promise<{ verdicts: Verdict[]; exitCode: number }> {
  const keyArguments = keys.verifiers.flatMap((key) => ['--key', encodeVerifier(key)]);
  const anchorArguments = anchorFile ? ['--anchors', anchorFile] : [];
  const run = promisify(execFile)(
    'python3',
    ['-B', PYTHON_VERIFIER, '--json', ...keyArguments, ...anchorArguments, ...files],
    { maxBuffer: 2 ** 28 },
  );
  const { stdout, code } = await run.then(
    ({ stdout }) => ({ stdout, code: 0 }),
    (error: { stdout: string; stderr: string; code: number }) => {
      if (error.code !== 1 && error.code !== 2) throw new Error(error.stderr);
      return error;
    },
  );
  const verdicts = stdout.split('\n').filter(Boolean);
  return { verdicts: verdicts.map((line) => JSON.parse(line) as Verdict), exitCode: code };
}

/** Whether one of the findings says what was done, and where. */
export function locates(
  { status, findings }: Verdict,
  { tells, tenantId, leafIndex, eventId }: Tampering,
): boolean {
  return (
    status === 'tampered' &&
    findings.some(
      (finding) =>
        tells.includes(finding.kind) &&
        (tenantId === undefined || finding.tenant_id === tenantId) &&
        (eventId === undefined || finding.event_id === eventId) &&
        (leafIndex === undefined ||
          finding.leaf_index === leafIndex ||
          (finding.leaf_index! <= leafIndex && leafIndex < (finding.before ?? 0))),
    )
  );
}
