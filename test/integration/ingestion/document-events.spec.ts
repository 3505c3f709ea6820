import { DocumentsWorld } from '../../support/documents-world.js';
import { readEvents, type ReceivedEvent } from '../../support/event-reader.js';

let world: DocumentsWorld;
beforeAll(async () => {
  world = await DocumentsWorld.start();
});
afterAll(() => world.close());
beforeEach(() => world.begin());

describe('the events of a document', () => {
  async function watch(id: string) {
    const response = await fetch(`${world.app.url}/v1/documents/${id}/events`, {
      headers: world.app.as(world.owner),
    });
    const events = readEvents(response);
    const until = async (name: string, matches = (_: ReceivedEvent) => true) => {
      const seen: ReceivedEvent[] = [];
      for (let next = await events.next(); !next.done; next = await events.next()) {
        seen.push(next.value);
        if (next.value.event === name && matches(next.value)) return seen;
      }
      throw new Error(`The stream ended before ${name}`);
    };
    return { response, until, end: async () => (await events.next()).done };
  }

  it('begin with its state, tell what changes, and end when it is ready', async () => {
    const { id } = await world.upload('a');
    const { response, until, end } = await watch(id);
    expect(response.headers.get('content-type')).toMatch(/^text\/event-stream/);
    const first = await until('status');
    expect(first.map((event) => event.event)).toEqual([
      ...Array.from({ length: 6 }, () => 'stage'),
      'progress',
      'status',
    ]);
    expect(first.map((event) => event.id)).toEqual(['1', '2', '3', '4', '5', '6', '7', '8']);

    await world.change(id, (tx) => world.documents.change(tx, id, { status: 'processing' }));
    expect((await until('status')).at(-1)!.data).toEqual({ status: 'processing', answerable: 'none' });
    await world.structure(id, ['First.']);
    expect((await until('status')).at(-1)!.data).toEqual({ status: 'processing', answerable: 'lexical' });
    await world.change(id, (tx) => world.documents.change(tx, id, { status: 'ready' }));
    expect((await until('done')).at(-1)!.data).toMatchObject({ id, status: 'ready', passages: 1 });
    expect(await end()).toBe(true);
  });

  it('end with the reason when it has failed', async () => {
    const { id } = await world.upload('a');
    const { until, end } = await watch(id);
    await until('status');
    await world.change(id, (tx) =>
      world.documents.setFailed(tx, id, { code: 'corrupt-file', message: 'The file is damaged.' }),
    );
    expect((await until('error')).at(-1)!.data).toEqual({
      code: 'corrupt-file',
      message: 'The file is damaged.',
      retryable: false,
    });
    expect(await end()).toBe(true);
  });

  it('end with an error when it is deleted', async () => {
    const { id } = await world.upload('a');
    const { until, end } = await watch(id);
    await until('status');
    await world.call('DELETE', `/${id}`);
    expect((await until('error')).at(-1)!.data).toMatchObject({ code: 'document-not-found' });
    expect(await end()).toBe(true);
  });

  it('of a document that is ready are its state and the end', async () => {
    const { id } = await world.upload('a');
    await world.change(id, (tx) => world.documents.change(tx, id, { status: 'ready' }));
    const { until, end } = await watch(id);
    expect((await until('done')).at(-1)!.data).toMatchObject({ status: 'ready' });
    expect(await end()).toBe(true);
  });
});
