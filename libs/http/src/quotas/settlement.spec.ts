import { newContext, runInContext } from '#libs/observability';
import { beginSettlement, settleQuota } from './settlement.js';

it('settles what was taken at the door by the last that was said, later than the answer too', async () => {
  const settled: number[] = [];
  const quotas = { settle: (_: unknown, __: unknown, units: number) => void settled.push(units) };
  const owner = { tenantId: 't', userId: 'u', credentialId: 'c' };
  settleQuota(100);
  await runInContext(newContext({ requestId: 'r' }), async () => {
    settleQuota(100);
    beginSettlement({ quotas, owner, rateClass: 'question', units: 1 });
    await Promise.resolve();
    settleQuota(7);
    settleQuota(5);
  });
  expect(settled).toEqual([6, -2]);
});
