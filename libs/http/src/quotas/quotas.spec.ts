import { burstOf, Quotas } from './quotas.js';

const LIMITS = {
  authPerMinute: 3,
  strangerPerMinute: 5,
  uploadPerMinute: 10,
  questionPerMinute: 4,
  searchPerMinute: 10,
  readPerMinute: 10,
  writePerMinute: 10,
};
const ADDRESS = '192.0.2.7';
const caller = (name: string) => ({
  tenantId: `tenant-of-${name}`,
  credentialId: name,
  authorization: `Bearer ${name}`,
});

describe('quotas', () => {
  let now = 0;
  let quotas: Quotas;
  beforeEach(() => {
    now = 0;
    quotas = new Quotas(LIMITS, { now: () => now });
  });
  const door = (over: Partial<Parameters<Quotas['waitAtDoorMs']>[0]> = {}) =>
    quotas.waitAtDoorMs({ address: ADDRESS, rateClass: 'question', ...over });
  const useUp = (name: string) => {
    while (!quotas.take(caller(name), 'question').isBlocked);
  };

  it('belong to a credential and a class: neither another one behind the same address nor another class is slowed', () => {
    useUp('flooder');
    expect(quotas.take(caller('neighbour'), 'question').isBlocked).toBe(false);
    expect(quotas.take(caller('flooder'), 'search').isBlocked).toBe(false);
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
    quotas.take(caller('regular'), 'question');
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

  it('tell whose a credential was within the last minute', () => {
    quotas.take(caller('regular'), 'read');
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
