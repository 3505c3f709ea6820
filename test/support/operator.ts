import { randomUUID } from 'node:crypto';
import { ADMIN, type RunningApp } from './test-app.js';

/** Headers of somebody with that role in the administrator's tenant. */
export async function signedIn(app: RunningApp, role: string): Promise<Record<string, string>> {
  const email = `${randomUUID()}@example.com`;
  await app.db.owner.query(
    `insert into app_user (tenant_id, id, email, password_hash, role)
     select tenant_id, gen_random_uuid(), $1, password_hash, $2 from app_user where email = $3`,
    [email, role, ADMIN.email],
  );
  const response = await app.fetch('/v1/auth/login', { json: { email, password: ADMIN.password } });
  const { access_token } = (await response.json()) as { access_token: string };
  return { authorization: `Bearer ${access_token}` };
}

/** Asks again until it is so; fails with what was last seen. */
export async function eventually<T>(look: () => Promise<T> | T, isSo: (seen: T) => boolean): Promise<T> {
  const until = performance.now() + 20_000;
  let seen = await look();
  while (!isSo(seen)) {
    if (performance.now() > until) throw new Error(`It never came to be; last seen: ${JSON.stringify(seen)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
    seen = await look();
  }
  return seen;
}
