import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { AuditKeys, auditPaths, encodeVerifier } from '#libs/audit';
import { loadConfig } from '#libs/config';
import { sections } from './app.config.js';

const HELP = `Prints the keys that checkpoints of the audit log are verified by; the first one signs.

  --rotate   put a new key first; processes sign with it from their next start
`;

const { values } = parseArgs({ options: { rotate: { type: 'boolean' }, help: { type: 'boolean' } } });
if (values.help) process.stdout.write(HELP);
else {
  const config = loadConfig(sections);
  const { keyFile } = auditPaths(config.audit, resolve(config.server.dataDir));
  const keys = await (values.rotate ? AuditKeys.rotate(keyFile) : AuditKeys.load(keyFile));
  process.stdout.write(keys.verifiers.map((key) => `${encodeVerifier(key)}\n`).join(''));
}
