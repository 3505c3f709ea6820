import { VirtualClock } from '../../../../test/support/virtual-clock.js';
import { DegradationManager, DegradationRegistry, type LevelChange } from './index.js';

function world() {
  const clock = new VirtualClock();
  const registry = new DegradationRegistry(clock);
  const answers = registry.define(new DegradationManager('answer.generate', { clock }));
  const search = registry.define(new DegradationManager('retrieve.semantic', { clock }));
  return { clock, registry, answers, search };
}

describe('the degradation registry', () => {
  it('gives out what was defined, lists it, and knows the worst level', () => {
    const { registry, answers } = world();
    expect(registry.get('answer.generate')).toBe(answers);
    answers.observe('minimal', 'model:a: failed');
    expect(registry.list()).toMatchObject([
      { capability: 'answer.generate', level: 'minimal', reasons: ['model:a: failed'] },
      { capability: 'retrieve.semantic', level: 'full', reasons: [] },
    ]);
    expect(registry.level).toBe('minimal');
  });

  it('refuses a capability twice and one that nobody defined', () => {
    const { registry } = world();
    expect(() => registry.define(new DegradationManager('answer.generate'))).toThrow(/twice/);
    expect(() => registry.get('admin')).toThrow(/no degradation manager for admin/);
  });

  it('notices recoveries without traffic, and tells once', async () => {
    const { clock, registry, answers, search } = world();
    const changes: LevelChange[] = [];
    const stop = registry.subscribe((change) => changes.push(change));
    registry.start();
    registry.start();
    expect(clock.pending).toBe(1);

    answers.observe('minimal', 'down');
    await clock.advance(11_000);
    expect(changes.map(({ from, to }) => [from, to])).toEqual([
      ['full', 'minimal'],
      ['minimal', 'full'],
    ]);
    await clock.advance(30_000);
    expect(changes).toHaveLength(2);

    stop();
    search.observe('degraded', 'slow');
    expect(changes).toHaveLength(2);
    registry.close();
    registry.close();
    expect(clock.pending).toBe(0);
  });
});
