import { DependencyUnavailable, Overloaded, TransientFailure } from '#libs/errors';
import { CoolDown } from './cool-down.js';

describe('the cool-down of a provider', () => {
  let now = 0;
  const clock = { now: () => now, after: () => () => undefined };
  const coolDown = () => new CoolDown('openai:gpt', clock);
  const refusal = (given: CoolDown): unknown => {
    try {
      given.pass();
      return undefined;
    } catch (error) {
      return error;
    }
  };

  it('keeps calls away for as long as the provider asked for, and says for how long', () => {
    const cooling = coolDown();
    const error = new Overloaded('429', { retryAfterMs: 7_000 });
    expect(refusal(cooling)).toBeUndefined();
    expect(cooling.note(error)).toBe(error);
    now += 2_500;
    expect(refusal(cooling)).toBeInstanceOf(DependencyUnavailable);
    expect(refusal(cooling)).toMatchObject({ reason: 'overloaded', retryAfterMs: 4_500 });
    cooling.note(new Overloaded('429', { retryAfterMs: 1_000 }));
    now += 4_499;
    expect(refusal(cooling)).toBeDefined();
    now += 1;
    expect(refusal(cooling)).toBeUndefined();
  });

  it('keeps none away when the provider asked for nothing, and none for longer than a minute', () => {
    const cooling = coolDown();
    cooling.note(new Overloaded('429'));
    cooling.note(new TransientFailure('500', { retryAfterMs: 9_000 }));
    cooling.note('nonsense');
    expect(refusal(cooling)).toBeUndefined();
    cooling.note(new Overloaded('429', { retryAfterMs: 600_000 }));
    now += 60_000;
    expect(refusal(cooling)).toBeUndefined();
  });
});
