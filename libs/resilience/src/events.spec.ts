import { type PolicyEvent, PolicyEvents } from './events.js';

describe('PolicyEvents', () => {
  let events: PolicyEvents;
  beforeEach(() => (events = new PolicyEvents()));
  const ids = (list: PolicyEvent[]) => list.map(({ id }) => id);

  it('lists what happened, oldest first, of one policy or of all', () => {
    events.publish({ policy: 'a', type: 'opened', from: 'closed', to: 'open' });
    events.publish({ policy: 'b', type: 'opened' });
    events.publish({ policy: 'a', type: 'closed' });
    expect(ids(events.list())).toEqual([1, 2, 3]);
    expect(events.list('a')).toEqual([
      {
        id: 1,
        at: expect.stringMatching(/^\d{4}-.*Z$/),
        policy: 'a',
        type: 'opened',
        from: 'closed',
        to: 'open',
      },
      { id: 3, at: expect.any(String), policy: 'a', type: 'closed' },
    ]);
    expect(events.list('nobody')).toEqual([]);
  });

  it('goes on after a cursor, page by page', () => {
    for (let i = 0; i < 250; i++) events.publish({ policy: i % 2 ? 'a' : 'b', type: 'x' });
    expect(ids(events.list(undefined, 240))).toEqual([241, 242, 243, 244, 245, 246, 247, 248, 249, 250]);
    expect(ids(events.list(undefined, 0, 3))).toEqual([1, 2, 3]);
    expect(events.list()).toHaveLength(100);
  });

  it('keeps the last thousand of each policy', () => {
    events.publish({ policy: 'quiet', type: 'x' });
    for (let i = 0; i < 1_005; i++) events.publish({ policy: 'busy', type: 'x' });
    const kept = events.list('busy', 0, 2_000);
    expect(kept).toHaveLength(1_000);
    expect([kept[0]!.id, kept.at(-1)!.id]).toEqual([7, 1_006]);
    expect(events.list('quiet')).toHaveLength(1);
  });

  it('tells the last changes of state', () => {
    for (const to of ['open', 'half-open', 'closed']) {
      events.publish({ policy: 'a', type: 'changed', to });
      events.publish({ policy: 'a', type: 'reconfigured' });
    }
    expect(events.transitions('a', 2).map(({ to }) => to)).toEqual(['half-open', 'closed']);
    expect(events.transitions('b', 2)).toEqual([]);
  });

  it('tells listeners until they leave', () => {
    const heard: PolicyEvent[] = [];
    const leave = events.subscribe((event) => heard.push(event));
    events.publish({ policy: 'a', type: 'x' });
    leave();
    events.publish({ policy: 'a', type: 'y' });
    expect(heard.map(({ type }) => type)).toEqual(['x']);
  });

  it('forgets a policy that is gone', () => {
    events.publish({ policy: 'a', type: 'x' });
    events.forget('a');
    expect(events.list()).toEqual([]);
  });
});
