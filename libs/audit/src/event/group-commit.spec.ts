import { GroupCommit } from './group-commit.js';

/** Holds each write until it is let go on. */
class HeldWrites {
  readonly batches: string[][] = [];
  private readonly ends: PromiseWithResolvers<void>[] = [];
  readonly write = (bodies: readonly string[]): Promise<void> => {
    this.batches.push([...bodies]);
    const end = Promise.withResolvers<void>();
    this.ends.push(end);
    return end.promise;
  };
  endFirst(): void {
    this.ends.shift()!.resolve();
  }
}
const turn = () => new Promise<void>((resolve) => void setImmediate(resolve));

describe('a group commit', () => {
  it('writes at once what comes together, and together what comes meanwhile', async () => {
    const held = new HeldWrites();
    const group = new GroupCommit(held.write, () => false);
    const written = ['a', 'b'].map((body) => group.add(body));
    await turn();
    written.push(group.add('c'));
    await turn();
    written.push(...['d', 'e', 'f'].map((body) => group.add(body)));
    await turn();
    expect(held.batches).toEqual([['a', 'b'], ['c']]);
    held.endFirst();
    await written[0];
    await turn();
    expect(held.batches.at(-1)).toEqual(['d', 'e', 'f']);
    held.endFirst();
    held.endFirst();
    await Promise.all(written);
  });

  it('waits a moment for as many as went before, and no longer than for them', async () => {
    const held = new HeldWrites();
    const group = new GroupCommit(held.write, () => false, 60_000);
    const first = ['a', 'b', 'c'].map((body) => group.add(body));
    await turn();
    held.endFirst();
    await Promise.all(first);
    const again = ['a2', 'b2'].map((body) => group.add(body));
    await turn();
    expect(held.batches).toHaveLength(1);
    again.push(group.add('c2'));
    await turn();
    expect(held.batches[1]).toEqual(['a2', 'b2', 'c2']);
    held.endFirst();
    await Promise.all(again);
  });

  it('writes what a lone caller adds at once, again and again', async () => {
    const held = new HeldWrites();
    const group = new GroupCommit(held.write, () => false, 60_000);
    for (const body of ['a', 'b', 'c']) {
      const written = group.add(body);
      await turn();
      held.endFirst();
      await written;
    }
    expect(held.batches).toEqual([['a'], ['b'], ['c']]);
  });

  it('does not wait in vain for those who do not come', async () => {
    const batches: number[] = [];
    const write = (bodies: readonly string[]) => Promise.resolve(void batches.push(bodies.length));
    const group = new GroupCommit(write, () => false, 1);
    await Promise.all(['a', 'b', 'c'].map((body) => group.add(body)));
    await group.add('d');
    expect(batches).toEqual([3, 1]);
  });

  it('lets nobody fail for what another one wrote', async () => {
    const write = (bodies: readonly string[]) =>
      bodies.includes('bad') ? Promise.reject(new Error('refused')) : Promise.resolve();
    const group = new GroupCommit(write, () => true);
    const outcomes = await Promise.allSettled(['a', 'bad', 'c'].map((body) => group.add(body)));
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  });

  it('tells everybody when the database is away, and asks it once', async () => {
    let asked = 0;
    const group = new GroupCommit(
      () => {
        asked += 1;
        return Promise.reject(new Error('away'));
      },
      () => false,
    );
    const outcomes = await Promise.allSettled(['a', 'b', 'c'].map((body) => group.add(body)));
    expect(outcomes.every(({ status }) => status === 'rejected')).toBe(true);
    expect(asked).toBe(1);
  });
});
