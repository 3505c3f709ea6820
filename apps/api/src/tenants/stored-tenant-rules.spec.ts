import { StoredTenantRules } from './stored-tenant-rules.js';

describe('StoredTenantRules', () => {
  let now: number;
  let looks: number;
  let isAway: boolean;
  let settings: object;
  let rules: StoredTenantRules;

  beforeEach(() => {
    [now, looks, isAway, settings] = [0, 0, false, { answer_threshold: 0.7, allowed_models: ['a'] }];
    const read = async () => {
      looks += 1;
      if (isAway) throw new Error('away');
      return { settings };
    };
    rules = new StoredTenantRules({ read: read as never }, () => now);
  });

  it('gives what the tenant has decided, and nothing where it has decided nothing', async () => {
    expect(await rules.of('t')).toEqual({ answerThreshold: 0.7, allowedModels: ['a'] });
    settings = {};
    expect(await rules.of('u')).toEqual({});
  });

  it('asks once for all who ask within some seconds', async () => {
    await Promise.all([rules.of('t'), rules.of('t')]);
    now = 3_000;
    await rules.of('t');
    expect(looks).toBe(1);
  });

  it('believes nothing for longer than five seconds', async () => {
    await rules.of('t');
    settings = {};
    now = 4_000; // Looks again meanwhile.
    expect(await rules.of('t')).toMatchObject({ answerThreshold: 0.7 });
    now = 5_000;
    expect(await rules.of('t')).toEqual({});
  });

  it('knows at once what was changed here', async () => {
    await rules.of('t');
    settings = { answer_threshold: 0.1 };
    rules.forget('t');
    expect(await rules.of('t')).toEqual({ answerThreshold: 0.1 });
  });

  it('goes on with what it knew while nobody can be asked, and lets no model read where it knew nothing', async () => {
    await rules.of('t');
    isAway = true;
    now = 3_600_000;
    expect(await rules.of('t')).toEqual({ answerThreshold: 0.7, allowedModels: ['a'] });
    expect(await rules.of('u')).toEqual({ allowedModels: [] });
  });
});
