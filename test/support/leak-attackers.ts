import { forgedTokens, signedAgain, signingKey } from './forged-tokens.js';
import {
  type Canary,
  type LeakApp,
  newCanary,
  newPerson,
  type newTenant,
  type Person,
} from './leak-world.js';
import type { Attempt } from './leak-requests.js';
import { bearer } from './people.js';

type Headers = Record<string, string>;

/** Somebody who asks for what is not his. */
export interface Attacker {
  name: string;
  headers: Headers;
  /** Of the tenant that is attacked, or from outside. */
  isInside: boolean;
  /** Everything but what is open to everybody must be refused with 401. */
  isDead?: boolean;
  /** A new session, for one who has ended his own. */
  renew?: () => Promise<Headers>;
  maySee(canary: Canary): boolean;
  /** What he may do with what belongs to others. Changes of that kind are left out, which would only spoil the test. */
  isEntitledTo?: (attempt: Attempt) => boolean;
}

export type Tenant = Awaited<ReturnType<typeof newTenant>>;
const nothing = () => false;

/** Credentials of people who may see everything that is attacked, none of which is good any more. */
export async function deadCredentials(world: LeakApp, { admin }: Tenant, owner: Person): Promise<Attacker[]> {
  const { app, people } = world;
  const key = async (headers: Headers) =>
    (await people.send('POST', '/v1/api-keys', headers, { name: 'dead' })).body as {
      id: string;
      key: string;
    };
  const [revoked, expired] = [await key(owner.headers), await key(owner.headers)];
  await people.send('DELETE', `/v1/api-keys/${revoked.id}`, owner.headers);
  await app.db.owner.query(`update api_key set expires_at = now() - interval '1 second' where id = $1`, [
    expired.id,
  ]);

  const token = owner.headers['authorization']!.slice('Bearer '.length);
  const material = { token, key: await signingKey(app) };
  const now = Math.floor(Date.now() / 1_000);
  const past = { iat: now - 700, nbf: now - 700, exp: now - 100 };
  const session = await people.session(owner.email);
  await people.send('POST', '/v1/auth/logout', session.headers, {});

  const email = () => `${newCanary('e-mail', 'administrators').text}@example.com`;
  const [suspended, removed] = [
    await newPerson(world, admin.headers, 'admin', email()),
    await newPerson(world, admin.headers, 'admin', email()),
  ];
  const suspendedKey = await key(suspended.headers);
  await people.send('PATCH', `/v1/users/${suspended.id}`, admin.headers, { suspended: true });
  await people.send('DELETE', `/v1/users/${removed.id}`, admin.headers);

  const dead = (name: string, headers: Headers): Attacker => ({
    name,
    headers,
    isInside: true,
    isDead: true,
    maySee: nothing,
  });
  return [
    dead('nobody', {}),
    dead('a revoked key', bearer(revoked.key)),
    dead('an expired key', bearer(expired.key)),
    dead('an expired token', bearer(signedAgain(material, past))),
    dead('a token that was tampered with', bearer(forgedTokens(material).get('tampered role')!)),
    dead('a session that was logged out', session.headers),
    dead('a suspended administrator', suspended.headers),
    dead('the key of a suspended administrator', bearer(suspendedKey.key)),
    dead('an administrator who was removed', removed.headers),
  ];
}

/** People of another tenant, with every role; the first has there what the attacked owner has in his. */
export async function outsiders(world: LeakApp, tenant: Tenant, owner: Person): Promise<Attacker[]> {
  const attackers = [
    outsider(world, 'somebody of another tenant with documents of his own', owner),
    outsider(world, 'the administrator of another tenant', tenant.admin),
  ];
  for (const role of ['manager', 'member'])
    attackers.push(
      outsider(
        world,
        `a ${role} of another tenant`,
        await newPerson(world, tenant.admin.headers, role, `${role}@other.example.com`),
      ),
    );

  const operator = await newPerson(world, tenant.admin.headers, 'admin', 'operator@other.example.com');
  await world.app.db.owner.query(`update app_user set role = 'operator' where id = $1`, [operator.id]);
  operator.headers = (await world.people.session(operator.email)).headers;
  attackers.push({
    ...outsider(world, 'an operator of another tenant', operator),
    isEntitledTo: ({ operation }) => /^\/v1\/(tenants|admin)\b/.test(operation.path),
  });
  return attackers;
}

/**
 * An administrator of another tenant who has the id of the owner: whatever the program compares with that, it finds
 * equal, and only the tenant is left to keep them apart.
 */
export async function twinOf(world: LeakApp, tenant: Tenant, owner: Person): Promise<Attacker> {
  const email = 'twin@other.example.com';
  await world.app.db.owner.query(
    `insert into app_user (tenant_id, id, email, password_hash, role)
     select $1, id, $2, password_hash, 'admin' from app_user where id = $3`,
    [tenant.id, email, owner.id],
  );
  const { headers } = await world.people.session(email);
  return {
    ...outsider(world, 'one of another tenant with the id of the owner', { email, headers }),
    // Where the id is that of a user, it is his own.
    isEntitledTo: ({ kinds }) => kinds.has('/v1/users'),
  };
}

function outsider({ people }: LeakApp, name: string, person: { email: string; headers: Headers }): Attacker {
  return {
    name,
    headers: person.headers,
    isInside: false,
    maySee: nothing,
    renew: async () => (await people.session(person.email)).headers,
  };
}

/** Colleagues of the owner, with every role. */
export async function insiders(world: LeakApp, { admin }: Tenant): Promise<Attacker[]> {
  const { people } = world;
  const alive = async (role: string): Promise<Attacker> => {
    const person = await newPerson(world, admin.headers, role, `${role}@own.example.com`);
    return {
      name: `a ${role} of the same tenant`,
      headers: person.headers,
      isInside: true,
      renew: async () => (await people.session(person.email)).headers,
      maySee: ({ seenBy }) => seenBy === 'everybody' || (seenBy === 'managers' && role !== 'member'),
    };
  };
  return [
    await alive('member'),
    await alive('manager'),
    {
      ...(await alive('admin')),
      maySee: ({ seenBy }) => seenBy !== 'owner',
      // He runs the tenant: people, webhooks, the processing of its documents.
      isEntitledTo: ({ operation }) =>
        operation.method !== 'GET' && !/\/(search|questions|compare|cancel|retry)$/.test(operation.path),
    },
  ];
}
