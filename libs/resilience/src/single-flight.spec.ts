import { settled } from '../../../test/support/virtual-clock.js';
import { SingleFlight } from './single-flight.js';

/** Work that ends when the test says so, and rejects with the reason when it is aborted. */
function scripted() {
  const flights = new SingleFlight<string>();
  const started: { resolve(value: string): void; reject(error: Error): void; signal: AbortSignal }[] = [];
  const work = (signal: AbortSignal) => {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    signal.addEventListener('abort', () => reject(signal.reason as Error));
    started.push({ resolve, reject, signal });
    return promise;
  };
  return { flights, started, ask: (key: string, signal?: AbortSignal) => flights.run(key, work, signal) };
}

describe('single flight', () => {
  it('does once what is asked for many times, and again when it is over', async () => {
    const { flights, started, ask } = scripted();
    const all = [ask('a'), ask('a'), ask('a')];
    expect(started).toHaveLength(1);
    started[0]!.resolve('answer');
    await expect(Promise.all(all)).resolves.toEqual(['answer', 'answer', 'answer']);
    expect(started[0]!.signal.aborted).toBe(false);
    expect(flights.size).toBe(0);
    const later = ask('a');
    started[1]!.resolve('newer');
    await expect(later).resolves.toBe('newer');
  });

  it('keeps different keys apart', async () => {
    const { started, ask } = scripted();
    const all = [ask('a'), ask('b')];
    started[0]!.resolve('of a');
    started[1]!.resolve('of b');
    await expect(Promise.all(all)).resolves.toEqual(['of a', 'of b']);
  });

  it('gives everybody the error, and remembers none', async () => {
    const { flights, started, ask } = scripted();
    const all = [ask('a'), ask('a')];
    const error = new Error('down');
    started[0]!.reject(error);
    expect(await Promise.allSettled(all)).toEqual([
      { status: 'rejected', reason: error },
      { status: 'rejected', reason: error },
    ]);
    expect(flights.size).toBe(0);
  });

  it.each([
    ['who began', 0],
    ['who joined', 1],
  ])('lets the caller %s leave alone', async (_, leaver) => {
    const { started, ask } = scripted();
    const clients = [new AbortController(), new AbortController()];
    const all = clients.map(({ signal }) => ask('a', signal));
    const left = new Error('left');
    clients[leaver]!.abort(left);
    await expect(all[leaver]).rejects.toBe(left);
    expect(started[0]!.signal.aborted).toBe(false);
    started[0]!.resolve('answer');
    await expect(all[1 - leaver]).resolves.toBe('answer');
  });

  it('aborts the work when nobody waits any more, and begins anew for the next', async () => {
    const { flights, started, ask } = scripted();
    const clients = [new AbortController(), new AbortController()];
    const all = clients.map(({ signal }) => ask('a', signal));
    clients.forEach((client) => client.abort(new Error('left')));
    await Promise.allSettled(all);
    expect(started[0]!.signal.aborted).toBe(true);
    expect(flights.size).toBe(0);

    const next = ask('a');
    expect(started).toHaveLength(2);
    started[1]!.resolve('answer');
    await expect(next).resolves.toBe('answer');
  });

  it('does not begin for a caller who has left', async () => {
    const { started, ask } = scripted();
    await expect(ask('a', AbortSignal.abort(new Error('left')))).rejects.toThrow('left');
    expect(started).toEqual([]);
  });

  it('takes work that throws at once for work that fails', async () => {
    const flights = new SingleFlight<string>();
    const broken = () => {
      throw new TypeError('bug');
    };
    await expect(flights.run('a', broken)).rejects.toThrow(TypeError);
    expect(flights.size).toBe(0);
  });

  it('does not end what was begun anew when what was given up ends at last', async () => {
    const { flights } = scripted();
    const works = [Promise.withResolvers<string>(), Promise.withResolvers<string>()];
    let begun = 0;
    const deaf = () => works[begun++]!.promise;
    const client = new AbortController();
    const first = flights.run('a', deaf, client.signal);
    client.abort(new Error('left'));
    await expect(first).rejects.toThrow('left');
    const second = flights.run('a', deaf);
    works[0]!.resolve('too late');
    await settled();
    const third = flights.run('a', deaf);
    works[1]!.resolve('answer');
    expect(await Promise.all([second, third])).toEqual(['answer', 'answer']);
  });

  it('leaves no listener with a caller whose signal lives long', async () => {
    const { started, ask } = scripted();
    const client = new AbortController();
    let listening = 0;
    const { addEventListener, removeEventListener } = client.signal;
    client.signal.addEventListener = (...args: Parameters<typeof addEventListener>) => {
      listening++;
      addEventListener.apply(client.signal, args);
    };
    client.signal.removeEventListener = (...args: Parameters<typeof removeEventListener>) => {
      listening--;
      removeEventListener.apply(client.signal, args);
    };
    const answer = ask('a', client.signal);
    expect(listening).toBe(1);
    started[0]!.resolve('answer');
    await answer;
    await settled();
    expect(listening).toBe(0);
  });
});
