import { DocumentsWorld } from '../../support/documents-world.js';

let world: DocumentsWorld;
beforeAll(async () => {
  world = await DocumentsWorld.start();
});
afterAll(() => world.close());
beforeEach(() => world.begin());

describe('deleting a document', () => {
  it('removes it with its passages, its job and its file', async () => {
    const { id } = await world.upload('a');
    await world.structure(id, ['First.']);
    expect(await world.call('DELETE', `/${id}`)).toMatchObject({ status: 204, text: '' });
    expect((await world.get(`/${id}`)).status).toBe(404);
    for (const table of ['document', 'job', 'job_stage', 'passage'])
      expect(
        (await world.db.owner.query(`select from ${table} where tenant_id = $1`, [world.owner.tenantId]))
          .rowCount,
      ).toBe(0);
    expect(await world.app.filesLeft()).toEqual([]);
    expect((await world.call('DELETE', `/${id}`)).status).toBe(404);
  });

  it('leaves the file to another document that has the same content', async () => {
    const mine = await world.upload('same');
    const theirs = await world.upload('same', {}, world.colleague);
    await world.call('DELETE', `/${mine.id}`);
    expect(await world.app.filesLeft()).toHaveLength(1);
    await world.call('DELETE', `/${theirs.id}`, world.colleague);
    expect(await world.app.filesLeft()).toEqual([]);
  });

  it('of somebody else that is shared is for managers', async () => {
    const { id } = await world.upload('a', { visibility: 'tenant' });
    expect((await world.call('DELETE', `/${id}`, world.colleague, 'member')).body).toMatchObject({
      code: 'not-your-document',
    });
    expect((await world.call('DELETE', `/${id}`, world.colleague, 'manager')).status).toBe(204);
  });

  it('lets the same file be uploaded again, from the beginning', async () => {
    const first = await world.upload('a', { title: 'First' });
    await world.structure(first.id, ['First.']);
    await world.call('DELETE', `/${first.id}`);
    const again = await world.upload('a', { title: 'Second' });
    expect(again).toMatchObject({
      id: first.id,
      title: 'Second',
      status: 'queued',
      answerable: 'none',
      percent: 0,
    });
  });

  it('and uploading the same file at the same time never leaves a document without its file', async () => {
    const { id } = await world.upload('contended');
    for (let i = 0; i < 10; i++) {
      const [uploaded] = await Promise.all([world.upload('contended'), world.call('DELETE', `/${id}`)]);
      expect(uploaded.id).toBe(id);
      const { status } = await world.get(`/${id}`);
      expect(await world.app.filesLeft()).toHaveLength(status === 200 ? 1 : 0);
      if (status === 404) await world.upload('contended');
    }
  });
});
