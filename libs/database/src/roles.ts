import { createHmac } from 'node:crypto';
import type { Client } from 'pg';

/** Holds what the program may; nobody logs in as it. The login role below inherits it. */
export const APP_GROUP = 'navigator_app';
/** Holds what only the sealer of the audit log may: to write its trees and checkpoints. */
export const SEALER_GROUP = 'navigator_sealer';
/** When another process has just made it, or makes it at this moment. */
const ROLE_EXISTS = new Set(['42710', '23505']);
/** How soon the server looks whether who waits for a lock waits for ever; requests wait a little longer than this. */
const DEADLOCK_CHECK_MS = 200;
/** Any number; every replica must use the same one. */
const ROLE_LOCK = 7_214_002;

/** A role that logs in as a member of one group, and the setting that names it where we may not make it. */
interface LoginRole {
  group: string;
  /** After the name of the database, because roles belong to the whole server; for `navigator` too it makes no group's name. */
  suffix: string;
  setting: string;
}
const APP: LoginRole = { group: APP_GROUP, suffix: '_login', setting: 'DATABASE_APP_URL' };
const SEALER: LoginRole = { group: SEALER_GROUP, suffix: '_sealing', setting: 'DATABASE_SEALER_URL' };

/** Makes sure that the group roles exist; the migrations grant to them. Roles belong to the whole server. */
export async function ensureGroups(owner: Client): Promise<void> {
  for (const login of [APP, SEALER]) {
    const { rowCount } = await owner.query('select from pg_roles where rolname = $1', [login.group]);
    if (rowCount) continue;
    await owner.query(`create role ${login.group} nologin`).catch((error: Error & { code?: string }) => {
      if (!ROLE_EXISTS.has(error.code ?? ''))
        throw new InsufficientDatabaseRights(login, error.message, { cause: error });
    });
  }
}

/**
 * Makes sure that the restricted role exists, and returns its URL. Its password is derived from the owner's, so
 * every replica that knows the owner's URL knows it, and nothing needs to be stored.
 *
 * @throws InsufficientDatabaseRights when the owner may not make roles, or has no password to derive from
 */
export function ensureAppRole(owner: Client, ownerUrl: string): Promise<string> {
  return ensureLogin(owner, ownerUrl, APP);
}

/** The same for the role that seals the audit log. */
export function ensureSealerRole(owner: Client, ownerUrl: string): Promise<string> {
  return ensureLogin(owner, ownerUrl, SEALER);
}

export class InsufficientDatabaseRights extends Error {
  constructor({ group, setting }: LoginRole, reason: string, options?: ErrorOptions) {
    super(
      `A role of the program cannot be made (${reason}). Make the role "${group}" and a login role that is a member of it ` +
        `and of no other, owns nothing and is no superuser, and give its URL as ${setting}.`,
      options,
    );
    this.name = 'InsufficientDatabaseRights';
  }
}

async function ensureLogin(owner: Client, ownerUrl: string, login: LoginRole): Promise<string> {
  const url = new URL(ownerUrl);
  if (!url.password) throw new InsufficientDatabaseRights(login, 'DATABASE_URL has no password');
  const name = decodeURIComponent(url.pathname.slice(1)) + login.suffix;
  const password = createHmac('sha256', url.password).update(`role ${name}`).digest('base64url');
  try {
    await owner.query(roleStatement(owner, { name, password, group: login.group }));
  } catch (error) {
    throw new InsufficientDatabaseRights(login, (error as Error).message, { cause: error });
  }
  url.username = encodeURIComponent(name);
  url.password = password;
  return url.href;
}

function roleStatement(
  client: Client,
  { name, password, group }: { name: string; password: string; group: string },
): string {
  const role = client.escapeIdentifier(name);
  // Replicas that start together would change the same role at once, which PostgreSQL refuses.
  return `do $$
    begin
      perform pg_advisory_xact_lock(${ROLE_LOCK});
      if not exists (select from pg_roles where rolname = ${client.escapeLiteral(name)}) then
        create role ${role} login noinherit;
      end if;
      alter role ${role} login inherit nocreatedb nocreaterole password ${client.escapeLiteral(password)};
      grant ${group} to ${role};
      begin
        alter role ${role} set deadlock_timeout = '${DEADLOCK_CHECK_MS}ms';
      exception when insufficient_privilege then
        null; -- Only a superuser may; then it stays as the server has it.
      end;
    end $$`;
}
