import { OPTIONS, world } from '../../../../test/support/bulkhead-world.js';
import { settled } from '../../../../test/support/virtual-clock.js';

describe('a bulkhead', () => {
  describe('whose limit changes', () => {
    it('starts slowly after its dependency has come back, though never with fewer than four', async () => {
      const { bulkhead, granted, call } = world({ concurrency: 20 });
      bulkhead.setLimitShare(0.1);
      for (let i = 0; i < 40; i++) void call(`a${i}`);
      await settled();
      expect(granted).toHaveLength(4);
      bulkhead.setLimitShare(0.55);
      await settled();
      expect(granted).toHaveLength(11);
      bulkhead.setLimitShare(1);
      await settled();
      expect(granted).toHaveLength(20);
      bulkhead.setLimitShare(0);
      expect(bulkhead.limit).toBe(4);
    });

    it('takes new options without forgetting who is under way and who waits', async () => {
      const { bulkhead, granted, call, end } = world({ concurrency: 2 });
      for (let i = 0; i < 6; i++) void call(`a${i}`);
      await settled();
      bulkhead.update({ ...OPTIONS, concurrency: 4 });
      await settled();
      expect(granted).toHaveLength(4);
      bulkhead.update({ ...OPTIONS, concurrency: 1 });
      for (const name of ['a0', 'a1', 'a2']) await end(name);
      expect([bulkhead.inUse, granted.length]).toEqual([1, 4]);
      await end('a3');
      expect(granted.at(-1)).toBe('a4');
    });
  });

  describe('that adapts', () => {
    const adaptive = (concurrency: number, min = 2) => world({ concurrency, adaptive: { min } });

    it('lowers its limit by a tenth at overload, once for each burst, and not below its minimum', async () => {
      const { clock, bulkhead } = adaptive(20, 16);
      for (let i = 0; i < 10; i++) bulkhead.onOverload();
      expect(bulkhead.limit).toBe(18);
      await clock.advance(1_000);
      for (let i = 0; i < 10; i++) bulkhead.onOverload();
      expect(bulkhead.limit).toBe(16);
      await clock.advance(1_000);
      bulkhead.onOverload();
      expect(bulkhead.limit).toBe(16);
    });

    it('lowers a small limit by a whole call', () => {
      const { bulkhead } = adaptive(3, 1);
      bulkhead.onOverload();
      expect(bulkhead.limit).toBe(2);
    });

    it('raises it by one after as many successes as it has permits, while it is used', async () => {
      const { bulkhead, call } = adaptive(20);
      bulkhead.onOverload();
      const succeed = (times: number) => {
        for (let i = 0; i < times; i++) bulkhead.onSuccess();
      };
      for (let i = 0; i < 8; i++) void call(`a${i}`);
      await settled();
      succeed(1_000);
      expect(bulkhead.limit).toBe(18);

      void call('ninth');
      await settled();
      succeed(17);
      expect(bulkhead.limit).toBe(18);
      succeed(2);
      expect(bulkhead.limit).toBe(19);
      void call('tenth');
      await settled();
      succeed(1_000);
      expect(bulkhead.limit).toBe(20);
    });

    it('keeps what it learnt within new bounds', () => {
      const { bulkhead } = adaptive(20);
      bulkhead.onOverload();
      bulkhead.update({ ...OPTIONS, concurrency: 40, adaptive: { min: 2 } });
      expect(bulkhead.limit).toBe(18);
      bulkhead.update({ ...OPTIONS, concurrency: 10, adaptive: { min: 2 } });
      expect(bulkhead.limit).toBe(10);
      bulkhead.update({ ...OPTIONS, concurrency: 30, adaptive: { min: 2 } });
      expect(bulkhead.limit).toBe(30);
      bulkhead.update({ ...OPTIONS, concurrency: 5 });
      expect(bulkhead.limit).toBe(5);
    });

    it('stays as it is without that', () => {
      const { bulkhead } = world();
      bulkhead.onOverload();
      bulkhead.onSuccess();
      expect(bulkhead.limit).toBe(2);
    });
  });
});
