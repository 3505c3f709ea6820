import { createHmac } from 'node:crypto';
import type { Client } from 'pg';

/** Holds all grants; nobody logs in as it. The login role below inherits them. */
export const APP_GROUP = 'navigator_app';
const DUPLICATE_ROLE = '42710';
/** How soon the server looks whether who waits for a lock waits for ever; requests wait a little longer than this. */
const DEADLOCK_CHECK_MS = 200;
/** Any number; every replica must use the same one. */
const ROLE_LOCK = 7_214_002;

/** Makes sure that the group role exists; the migrations grant to it. Roles belong to the whole server. */
export async function ensureAppGroup(owner: Client): Promise<void> {
  const { rowCount } = await owner.query('select from pg_roles where rolname = $1', [APP_GROUP]);
  if (rowCount) return;
  await owner.query(`create role ${APP_GROUP} nologin`).catch((error: Error & { code?: string }) => {
    if (error.code !== DUPLICATE_ROLE) throw new InsufficientDatabaseRights(error.message, { cause: error });
  });
}

/**
 * Makes sure that the restricted role exists, and returns its URL. Its password is derived from the owner's, so
 * every replica that knows the owner's URL knows it, and nothing needs to be stored.
 *
 * @throws InsufficientDatabaseRights when the owner may not make roles, or has no password to derive from
 */
export async function ensureAppRole(owner: Client, ownerUrl: string): Promise<string> {
  const url = new URL(ownerUrl);
  if (!url.password) throw new InsufficientDatabaseRights('DATABASE_URL has no password');
  const name = `${decodeURIComponent(url.pathname.slice(1))}_login`;
  const password = createHmac('sha256', url.password).update(`role ${name}`).digest('base64url');
  try {
    await owner.query(roleStatement(owner, name, password));
  } catch (error) {
    throw new InsufficientDatabaseRights((error as Error).message, { cause: error });
  }
  url.username = encodeURIComponent(name);
  url.password = password;
  return url.href;
}

export class InsufficientDatabaseRights extends Error {
  constructor(reason: string, options?: ErrorOptions) {
    super(
      `The application role cannot be made (${reason}). Make the role "${APP_GROUP}" and a login role that is a member of it, ` +
        'owns nothing and is no superuser, and give its URL as DATABASE_APP_URL.',
      options,
    );
    this.name = 'InsufficientDatabaseRights';
  }
}

function roleStatement(client: Client, name: string, password: string): string {
  const role = client.escapeIdentifier(name);
  // Replicas that start together would change the same role at once, which PostgreSQL refuses.
  return `do $$
    begin
      perform pg_advisory_xact_lock(${ROLE_LOCK});
      if not exists (select from pg_roles where rolname = ${client.escapeLiteral(name)}) then
        create role ${role} login noinherit;
      end if;
      alter role ${role} login inherit nocreatedb nocreaterole password ${client.escapeLiteral(password)};
      grant ${APP_GROUP} to ${role};
      begin
        alter role ${role} set deadlock_timeout = '${DEADLOCK_CHECK_MS}ms';
      exception when insufficient_privilege then
        null; -- Only a superuser may; then it stays as the server has it.
      end;
    end $$`;
}
