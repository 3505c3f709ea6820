/** What the product can do, each with a service level of its own. */
export const CAPABILITIES = [
  'auth.verify',
  'auth.login',
  'retrieve.semantic',
  'retrieve.lexical',
  'answer.generate',
  'ingest.accept',
  'ingest.process',
  'audit.write',
  'audit.query',
  'quota.share',
  'admin',
] as const;
export type Capability = (typeof CAPABILITIES)[number];

/**
 * Security never degrades into allowing: when these cannot be sure they deny. What stands in for them must have been
 * proven before (a credential that was verified a moment ago), so they take no fallback that says the same to everyone.
 */
export const SECURITY_CAPABILITIES: ReadonlySet<Capability> = new Set([
  'auth.verify',
  'auth.login',
  'audit.write',
]);
