import { readFileSync } from 'node:fs';

/** The Big List of Naughty Strings, and what it lacks for a program such as this one. */
export function hostileStrings(): string[] {
  const published = JSON.parse(readFileSync('test/fixtures/blns.json', 'utf8')) as string[];
  return [...published, ...OWN];
}

/** What templates say when something takes them for its language. */
export const EVALUATED = '109876463';

const OWN = [
  '\u0000',
  'nul\u0000in the middle',
  '\ud800',
  'lone \udc00 surrogate',
  '\ud83d',
  '\ufffe\uffff',
  '\u202egnp.exe',
  '\u2066\u2069\u200b\u200d\ufeff',
  '\u{e0041}\u{e0042}',
  '\r\nX-Injected: yes',
  '%0d%0aX-Injected:%20yes',
  '\\',
  "\\'",
  "'||(select pg_sleep(20))||'",
  "'; select pg_sleep(20); --",
  "1' and 1=(select 1 from pg_sleep(20))--",
  '$1',
  ':name',
  '?',
  '%s%n%p%x',
  '%',
  '_%_',
  '{{1234567*89}}',
  '${1234567*89}',
  '#{1234567*89}',
  '<%= 1234567*89 %>',
  '${jndi:ldap://127.0.0.1:1/a}',
  '__proto__',
  'constructor.prototype',
  'toString',
  '../../../../etc/passwd',
  '..\\..\\windows\\win.ini',
  '/proc/self/environ',
  'file:///etc/passwd',
  'http://169.254.169.254/latest/meta-data/',
  'a.md/',
  'CON',
  '.',
  '..',
  '=cmd|"/c calc"!A1',
  '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>',
  '(a+)+$',
  `${'a'.repeat(49)}!`,
  'é'.normalize('NFD'),
  'İıſK',
  '９９９',
  '１',
  '1e400',
  '-0',
  '9007199254740993',
  '[object Object]',
  '{"$gt":""}',
  '*)(uid=*))(|(uid=*',
];
