import { serverOwner, shutDown } from './postmaster.js';

describe('serverOwner', () => {
  it.each([
    ['/opt/pg/bin/postgres -D /proc/self/cwd -c port=1 -c navigator.data_folder=/data/pgdata', 'ours'],
    ['/opt/pg/bin/postgres -D /x -c navigator.data_folder=/data/pgdata2', 'not-ours'],
    ['/opt/pg/bin/postgres -D /x -c navigator.data_folder=/other/data/pgdata', 'not-ours'],
    ['/usr/lib/postgresql/17/bin/postgres -D /data/pgdata', 'unknown'],
    ['postgres -D /data/pgdata', 'unknown'],
    ['postgres: insurance-navigator: checkpointer', 'not-ours'],
    ['vim /data/pgdata/postgresql.conf', 'not-ours'],
    ['', 'not-ours'],
  ])('of the command line "%s" is %s', (command, owner) => {
    expect(serverOwner(command, '/data/pgdata')).toBe(owner);
  });
});

describe('shutDown', () => {
  const limits = { fastMs: 1, immediateMs: 1 };

  it.each([
    ['SIGINT', ['SIGINT']],
    ['SIGQUIT', ['SIGINT', 'SIGQUIT']],
    ['SIGKILL', ['SIGINT', 'SIGQUIT', 'SIGKILL']],
  ])('of a server that only obeys %s sends %j', async (obeyed, expected) => {
    const sent: string[] = [];
    const { promise: ended, resolve: end } = Promise.withResolvers<void>();

    await shutDown(
      (signal) => {
        sent.push(signal);
        if (signal === obeyed) end();
      },
      ended,
      limits,
    );

    expect(sent).toEqual(expected);
  });
});
