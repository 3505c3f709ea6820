import { Caches } from '#libs/cache';
import { Withdrawals } from './withdrawals.js';

const reader = { tenantId: 'tenant-1', userId: 'user-1' };
const MINUTE = 60_000;
const at = (minute: number) => new Date(minute * MINUTE).toISOString();

describe('what was withdrawn', () => {
  let now = 0;
  const caches = Caches.inMemory();
  const withdrawals = Withdrawals.on(caches, { staleAnswerSeconds: 3_600 }, () => now);

  it('concerns answers that were kept before, and until nobody can still be writing one', async () => {
    now = 100 * MINUTE;
    await withdrawals.add('tenant-1', [{ documentId: 'a' }]);
    const concerned = (minute: number) =>
      withdrawals.concern(reader, { documentIds: ['b', 'a'], asOf: at(minute) });
    expect(await Promise.all([1, 99, 101, 104].map(concerned))).toEqual([true, true, true, true]);
    expect(await concerned(106)).toBe(false);
  });

  it('concerns nobody else, and no other document', async () => {
    await withdrawals.add('tenant-2', ['tenant', { documentId: 'c' }]);
    await withdrawals.add('tenant-1', [{ userId: 'user-2' }]);
    expect(await withdrawals.concern(reader, { documentIds: ['c'], asOf: at(1) })).toBe(false);
    const other = { ...reader, userId: 'user-2' };
    expect(await withdrawals.concern(other, { documentIds: [], asOf: at(1) })).toBe(true);
  });
});
