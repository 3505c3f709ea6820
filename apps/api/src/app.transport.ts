import { isIP } from 'node:net';
import { type Config, type ConfigSection, InvalidConfiguration, variableName } from '#libs/config';
import type { sections } from './app.config.js';

/** Schemes that speak in clear. */
const CLEAR = new Set(['http:', 'redis:', 'ws:', 'smtp:', 'ftp:']);
/** All of these check the certificate and the name in it. */
const SAFE_MODES = new Set(['require', 'verify-ca', 'verify-full']);

/**
 * Refuses settings by which PostgreSQL, Redis, mail, models or anybody else on another machine would be reached without
 * TLS. Every setting that is an address is looked at, so one that comes later is as well.
 *
 * @throws InvalidConfiguration naming them, never their values
 */
export function assertEncrypted(
  config: Config<typeof sections>,
  declared: Record<string, ConfigSection>,
): void {
  const clear = Object.entries(declared).flatMap(([name, { prefix }]) =>
    Object.entries(config[name as keyof typeof config])
      .filter(([, value]) => [value].flat().some((each) => typeof each === 'string' && isClear(each)))
      .map(([key]) => variableName(prefix, key)),
  );
  const { mail, clamd } = config;
  const mailsInClear = mail.transport === 'smtp' && mail.smtpSecurity === 'none';
  if (mailsInClear && !isHere(mail.smtpHost)) clear.push('MAIL_SMTP_SECURITY');
  // Its protocol knows no TLS.
  if (clamd.host && !isHere(clamd.host)) clear.push('CLAMD_HOST');
  const message = 'would be reached in clear over a network, which REQUIRE_TLS forbids';
  if (clear.length > 0) throw new InvalidConfiguration(clear.map((variable) => ({ variable, message })));
}

function isClear(text: string): boolean {
  if (!/^[a-z+]+:\/\//i.test(text) || !URL.canParse(text)) return false;
  const { protocol, hostname, searchParams } = new URL(text);
  if (isHere(hostname)) return false;
  if (!/^postgres(ql)?:$/.test(protocol)) return CLEAR.has(protocol);
  return !SAFE_MODES.has(searchParams.get('sslmode') ?? '') || searchParams.has('uselibpqcompat');
}

/** This machine: what is sent there passes no network. */
function isHere(host: string): boolean {
  const address = host.replace(/^\[|\]$/g, '');
  if (address === '' || address === 'localhost' || address === '::1' || address.startsWith('/')) return true;
  return isIP(address) === 4 && address.startsWith('127.');
}
