import { readEvents } from './server-events.js';

async function eventsOf(...chunks: string[]) {
  async function* body() {
    for (const chunk of chunks) yield new TextEncoder().encode(chunk);
  }
  const events = [];
  for await (const event of readEvents(body())) events.push(event);
  return events;
}

describe('readEvents', () => {
  it('reads names and data, and skips heartbeats and ids', async () => {
    expect(await eventsOf(': heartbeat\n\nevent: stage\nid: 1\ndata: {"a":1}\n\ndata: x\n\n')).toEqual([
      { name: 'stage', data: '{"a":1}' },
      { name: 'message', data: 'x' },
    ]);
  });

  it('puts together what arrives in pieces', async () => {
    expect(await eventsOf('event: st', 'age\nda', 'ta: 1\n', '\ndata: 2\n\n')).toEqual([
      { name: 'stage', data: '1' },
      { name: 'message', data: '2' },
    ]);
  });

  it('joins several lines of data and accepts carriage returns', async () => {
    expect(await eventsOf('data: a\r\ndata: b\r\n\r\n')).toEqual([{ name: 'message', data: 'a\nb' }]);
  });

  it('drops an event that was cut off', async () => {
    expect(await eventsOf('data: whole\n\ndata: cut')).toEqual([{ name: 'message', data: 'whole' }]);
  });
});
