import { KnownCallers } from './known-callers.js';

it('remembers a bounded number of callers, and forgets the one that was not seen for the longest time', () => {
  const callers = new KnownCallers({ now: () => 0 });
  callers.noteVerified('first', 'a');
  callers.noteVerified('second', 'b');
  callers.noteVerified('first', 'a');
  for (let i = 0; i < 9_999; i++) callers.noteVerified(`other-${i}`, 'c');
  expect(callers.size).toBe(10_000);
  expect(callers.tenantOf('first')).toBe('a');
  expect(callers.tenantOf('second')).toBeUndefined();
});
