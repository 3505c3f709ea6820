import type { EmbeddedPostgres } from '#libs/database';

/** Handed from the global set-up to the global teardown, which Jest runs in the same process. */
export const running: { server?: EmbeddedPostgres; folder?: string } = ((
  globalThis as { navigatorTestServer?: object }
).navigatorTestServer ??= {});
