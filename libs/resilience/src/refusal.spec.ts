import { refusal } from './refusal.js';

describe('a refusal', () => {
  it('takes no stack, and leaves all other errors theirs', () => {
    const error = refusal('model', 'circuit-open', 99.5);
    expect(error).toMatchObject({ dependency: 'model', reason: 'circuit-open', retryAfterMs: 100 });
    expect(error.stack).not.toContain('refusal.spec');
    expect(new Error('another').stack).toContain('refusal.spec');
  });
});
