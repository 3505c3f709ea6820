import { RefusalPace } from './refusal-pace.js';

const RETRY_AFTER_MS = 3_000;

describe('the pace of refusals', () => {
  let now: number;
  let refusals: RefusalPace;
  const tell = (connection: object) => refusals.delayMs(connection, RETRY_AFTER_MS);
  const connections = (count: number) => Array.from({ length: count }, () => ({}));
  beforeEach(() => {
    now = 0;
    refusals = new RefusalPace({ now: () => now });
  });

  it('tells a thousand clients in a second at once', () => {
    for (const client of connections(1_000)) {
      expect(tell(client)).toBe(0);
      now += 1;
    }
  });

  it('tells at once who comes back when he was told to', () => {
    const clients = connections(200);
    for (; now < 10 * RETRY_AFTER_MS; now += RETRY_AFTER_MS)
      for (const client of clients) expect(tell(client)).toBe(0);
  });

  it('tells five hundred a second of those who come back too early, in the order in which they came', () => {
    const clients = connections(600);
    for (const client of clients) tell(client);
    now = 1_000;
    const toldAt = clients.map((client) => now + tell(client));
    expect(toldAt).toEqual(toldAt.toSorted((a, b) => a - b));
    expect(toldAt.filter((at) => at < 1_500).length).toBeLessThanOrEqual(301);
    expect(toldAt.at(-1)).toBeGreaterThan(2_000);
  });

  it('makes a newcomer wait for nobody who comes back too early', () => {
    const clients = connections(100);
    for (let i = 0; i < 50; i++) for (const client of clients) tell(client);
    now = 300;
    for (const client of clients) expect(tell(client)).toBeGreaterThan(0);
    expect(tell({})).toBe(0);
  });

  it('counts the wait of a client from the moment at which he was told', () => {
    const [early, punctual] = [{}, {}];
    for (const client of [early, punctual]) for (let i = 0; i < 100; i++) tell(client);
    const toldAt = tell(early);
    expect(tell(punctual)).toBeGreaterThan(toldAt);
    now = toldAt + RETRY_AFTER_MS - 1;
    // So many come back too early that each of them is held back.
    for (const client of connections(100)) for (let i = 0; i < 3; i++) tell(client);
    expect(tell(early)).toBeGreaterThan(0);
    now += 3;
    expect(tell(punctual)).toBe(0);
  });

  it('holds none back for more than two seconds, and forgets a storm as fast', () => {
    const client = {};
    for (let i = 0; i < 5_000; i++) expect(tell(client)).toBeLessThanOrEqual(2_000);
    for (let i = 0; i < 5_000; i++) expect(tell({})).toBeLessThanOrEqual(1_000);
    now = 2_200;
    expect(tell(client)).toBe(0);
    expect(tell({})).toBe(0);
  });
});
