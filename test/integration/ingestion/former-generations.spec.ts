import { GenerationUpkeep } from '../../../apps/api/src/ingestion/generations/generation-upkeep.js';
import { EditionsWorld, NEW, OLD, whole } from '../../support/editions-world.js';

let world: EditionsWorld;
beforeAll(async () => {
  world = await EditionsWorld.start();
});
afterAll(() => world.close());
beforeEach(() => world.begin());

describe('going back', () => {
  const before = async () => {
    world.nextEdition();
    await world.retry('extract');
    await world.work();
  };

  it('gives what was found before, and going back again what was found after', async () => {
    await before();
    const version = async () => (await world.query('select version from document where id = $1'))[0].version;
    const made = await version();
    const view = await world.rollBack();
    expect(view.document).toMatchObject({ status: 'ready', liveGeneration: 1, passageCount: 36 });
    expect(await world.seen()).toEqual(OLD);
    expect(await version()).toBe(made + 1);
    await world.rollBack();
    expect(await world.seen()).toEqual(NEW);
  });

  it('leaves what was gone back from alone when the document is made anew once more', async () => {
    await before();
    await world.rollBack();
    world.nextEdition('gamma', 5);
    await world.retry('structure');
    expect(await world.seen()).toEqual(OLD);
    expect(await world.work()).toBe('done');
    expect(await world.seen()).toEqual(whole('gamma', 15));
    expect(await world.query('select live_generation from document where id = $1')).toEqual([
      { live_generation: 3 },
    ]);
    await world.rollBack();
    expect(await world.seen()).toEqual(OLD);
  });

  it('is refused when there is nothing to go back to, and while the document is being made', async () => {
    await expect(world.rollBack()).rejects.toMatchObject({ code: 'nothing-to-roll-back-to' });
    await before();
    await world.retry('extract');
    await expect(world.rollBack()).rejects.toMatchObject({ code: 'document-busy' });
  });

  it('is not possible where nothing is kept', async () => {
    await world.stopProgram();
    await world.startProgram({ retentionHours: 0 });
    await before();
    await expect(world.rollBack()).rejects.toMatchObject({ code: 'nothing-to-roll-back-to' });
    expect(await world.seen()).toEqual(NEW);
  });
});

describe('the sweep of generations', () => {
  const expire = (ago: string) =>
    world.query(`update document_generation set expires_at = now() - $2::interval where document_id = $1`, [
      world.id,
      ago,
    ]);
  const TABLES = ['passage', 'posting', 'passage_vector', 'passage_sign', 'document_insight'];

  it('removes what nobody can go back to, and nothing of what is found', async () => {
    world.nextEdition();
    await world.retry('extract');
    await world.work();
    const upkeep = world.get(GenerationUpkeep);
    expect(await upkeep.sweep()).toBe(0);
    // A question that began before the switch may still be reading.
    await expire('30 seconds');
    expect(await upkeep.sweep()).toBe(0);
    await expire('2 minutes');
    expect(await upkeep.sweep()).toBe(1);
    for (const table of TABLES) expect([table, await world.generationsOf(table)]).toEqual([table, [2]]);
    expect(await world.query('select from document_generation where document_id = $1')).toEqual([]);
    expect(await world.seen()).toEqual(NEW);
    await expect(world.rollBack()).rejects.toMatchObject({ code: 'nothing-to-roll-back-to' });
  });

  it('takes what a newer switch has replaced, and keeps what is made', async () => {
    for (const edition of ['beta', 'gamma']) {
      world.nextEdition(edition, 8);
      await world.retry('extract');
      await world.work();
    }
    await world.query(
      `update document_generation set expires_at = expires_at - interval '2 minutes' where document_id = $1`,
    );
    world.nextEdition('delta', 8);
    await world.retry('extract');
    const { runner, lost } = world.dyingIn('publish', 'before');
    expect(await world.work(runner, lost)).toBe('lost');
    expect(await world.get(GenerationUpkeep).sweep()).toBe(1);
    expect(await world.generationsOf('passage')).toEqual([2, 3, 4]);
    expect((await world.seen()).editions).toEqual(['gamma']);
  });

  it('goes on where it was cut off', async () => {
    world.nextEdition();
    await world.retry('extract');
    await world.work();
    await expire('2 minutes');
    await world.query(`delete from posting where document_id = $1 and generation = 1 and term > 'p'`);
    await world.query(`delete from passage where document_id = $1 and generation = 1 and ordinal > 3`);
    await world.query(`update document_generation set expires_at = '-infinity' where document_id = $1`);
    expect(await world.get(GenerationUpkeep).sweep()).toBe(1);
    expect(await world.generationsOf('passage')).toEqual([2]);
  });
});
