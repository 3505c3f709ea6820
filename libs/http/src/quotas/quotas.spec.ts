import { systemClock } from '#libs/resilience';
import type { Verdict } from './gcra.js';
import { rateSection } from '../http.config.js';
import { burstOf, Quotas } from './quotas.js';

const LIMITS = rateSection.schema.parse({
  authPerMinute: 3,
  strangerPerMinute: 5,
  uploadPerMinute: 10,
  questionPerMinute: 4,
  searchPerMinute: 10,
  readPerMinute: 10,
  writePerMinute: 10,
});
const ADDRESS = '192.0.2.7';
const caller = (name: string) => ({
  tenantId: `tenant-of-${name}`,
  userId: `user-of-${name}`,
  credentialId: name,
  authorization: `Bearer ${name}`,
});

describe('quotas', () => {
  let now = 0;
  let quotas: Quotas;
  beforeEach(() => {
    now = 0;
    quotas = new Quotas(LIMITS, { clock: { ...systemClock, now: () => now } });
  });
  const door = (over: Partial<Parameters<Quotas['refusalAtDoor']>[0]> = {}) =>
    quotas.refusalAtDoor({ address: ADDRESS, rateClass: 'question', ...over })?.waitMs ?? 0;
  const take = (...of: Parameters<Quotas['take']>) => quotas.take(...of) as Verdict;
  const useUp = (name: string) => {
    while (!take(caller(name), 'question').isBlocked);
  };

  it('belong to a credential and a class: neither another one behind the same address nor another class is slowed', () => {
    useUp('flooder');
    expect(take(caller('neighbour'), 'question').isBlocked).toBe(false);
    expect(take(caller('flooder'), 'search').isBlocked).toBe(false);
  });

  it('that are used up are known at the door, until a unit is back', () => {
    expect(door({ authorization: 'Bearer flooder' })).toBe(0);
    useUp('flooder');
    expect(door({ authorization: 'Bearer flooder' })).toBe(15_000);
    expect(door({ authorization: 'Bearer flooder', rateClass: 'read' })).toBe(0);
    expect(door({ authorization: 'Bearer neighbour' })).toBe(0);
    now = 15_000;
    expect(door({ authorization: 'Bearer flooder' })).toBe(0);
  });

  it('of an address are charged for bad credentials only', () => {
    for (let i = 0; i < 1_000; i++) expect(door({ authorization: `Bearer ${i}` })).toBe(0);
    for (let i = 0; i < 5; i++) quotas.chargeAddress(ADDRESS);
    expect(door({ authorization: 'Bearer guess' })).toBe(12_000);
    expect(door({ address: '192.0.2.8', authorization: 'Bearer guess' })).toBe(0);
  });

  it('of an address keep nobody out who was known within the last minute', () => {
    void quotas.take(caller('regular'), 'question');
    for (let i = 0; i < 5; i++) quotas.chargeAddress(ADDRESS);
    expect(door({ authorization: 'Bearer regular' })).toBe(0);
    expect(door({})).toBeGreaterThan(0);
    now = 60_001;
    for (let i = 0; i < 5; i++) quotas.chargeAddress(ADDRESS);
    expect(door({ authorization: 'Bearer regular' })).toBeGreaterThan(0);
  });

  it('of logins are counted by address at the door', () => {
    for (let i = 0; i < 3; i++) expect(door({ rateClass: 'auth' })).toBe(0);
    expect(door({ rateClass: 'auth' })).toBe(20_000);
    expect(door({ rateClass: 'auth', address: '192.0.2.8' })).toBe(0);
  });

  it('are shared by the addresses of one /64 of IPv6, and by no others', () => {
    for (let i = 0; i < 5; i++) quotas.chargeAddress(`2001:db8:1:2::${i}`);
    expect(door({ address: '2001:db8:1:2:ffff::1' })).toBeGreaterThan(0);
    expect(door({ address: '2001:db8:1:3::9' })).toBe(0);
  });

  it('never hold for probes', () => {
    for (let i = 0; i < 5; i++) quotas.chargeAddress(ADDRESS);
    expect(door({ rateClass: 'probe' })).toBe(0);
  });

  it('of a user are for all of his credentials together, and those of a tenant for all of its users', () => {
    const key = (user: number, key: number) => ({
      tenantId: 'tenant',
      userId: `user-${user}`,
      credentialId: `key-${user}-${key}`,
      authorization: `Bearer ${user}-${key}`,
    });
    const passed = (user: number, credential: number) => {
      let count = 0;
      for (; !take(key(user, credential), 'upload').isBlocked; count++);
      return count;
    };
    // Ten for each credential, twenty for each user, two hundred for the tenant.
    expect([passed(0, 0), passed(0, 1), passed(0, 2), passed(1, 0)]).toEqual([10, 10, 0, 10]);
    const rest = Array.from({ length: 20 }, (_, i) => passed(2 + i, 0) + passed(2 + i, 1));
    expect(rest.reduce((sum, count) => sum + count, 0)).toBe(200 - 30);
  });

  it('of a tenant and all in it are as many times as usual as operators say', () => {
    const large = { ...caller('large'), quotaFactor: 3 };
    const small = { ...caller('small'), quotaFactor: 0.1 };
    expect(take(large, 'question').demand).toMatchObject({ limit: 12, burst: 10 });
    expect(take(small, 'search').demand).toMatchObject({ limit: 1, burst: 1 });
    expect(take(small, 'search').isBlocked).toBe(true);
  });

  it('are settled by what a request has really cost', () => {
    take(caller('asker'), 'upload', 2);
    quotas.settle(caller('asker'), 'upload', 7);
    expect(take(caller('asker'), 'upload')).toMatchObject({ totalHits: 10, isBlocked: false });
    quotas.settle(caller('asker'), 'upload', -5);
    expect(take(caller('asker'), 'upload')).toMatchObject({ totalHits: 6, isBlocked: false });
    quotas.settle(caller('asker'), 'upload', 30);
    expect(take(caller('asker'), 'upload')).toMatchObject({ isBlocked: true, timeToBlockExpire: 6 });
  });

  it('that refuse at the door say of which size they are and when they are whole again', () => {
    for (let i = 0; i < 5; i++) quotas.chargeAddress(ADDRESS);
    const stranger = { address: ADDRESS, rateClass: 'read' } as const;
    expect(quotas.refusalAtDoor(stranger)).toEqual({ waitMs: 12_000, resetMs: 60_000, limit: 5, burst: 5 });
    useUp('flooder');
    const flooder = { address: '192.0.2.9', authorization: 'Bearer flooder', rateClass: 'question' } as const;
    expect(quotas.refusalAtDoor(flooder)).toEqual({ waitMs: 15_000, resetMs: 60_000, limit: 4, burst: 4 });
    now = 5_000;
    expect(quotas.refusalAtDoor(flooder)).toEqual({ waitMs: 10_000, resetMs: 55_000, limit: 4, burst: 4 });
  });

  it('tell whose a credential was within the last minute', () => {
    void quotas.take(caller('regular'), 'read');
    expect(quotas.tenantOf('Bearer regular')).toBe('tenant-of-regular');
    expect(quotas.tenantOf('Bearer other')).toBeUndefined();
    now = 60_001;
    expect(quotas.tenantOf('Bearer regular')).toBeUndefined();
  });
});

describe('the burst of a quota', () => {
  it.each([
    [1, 1],
    [10, 10],
    [30, 10],
    [300, 25],
    [3_000, 250],
  ])('of %d a minute is %d', (limit, burst) => {
    expect(burstOf(limit)).toBe(burst);
  });
});
