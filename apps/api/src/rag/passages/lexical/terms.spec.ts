import { termsOf } from './terms.js';

describe('the terms of a text', () => {
  it('are its words in lower case, by their stems, without stop words', () => {
    expect(termsOf('What are the Exclusions of this Plan?')).toEqual(['exclus', 'plan']);
    expect(termsOf('covering, covered and covers')).toEqual(['cover', 'cover', 'cover']);
  });

  it('keep possessives with their words, whatever the apostrophe', () => {
    expect(termsOf("the member's card")).toEqual(termsOf('the member’s card'));
    expect(termsOf("member's")).toEqual(termsOf('member'));
  });

  it('write an amount in one way', () => {
    for (const amount of ['$1,500', '1500', '1,500.00', 'USD 1500.0'])
      expect(termsOf(amount)).toContain('1500');
    expect(termsOf('$12.50')).toEqual(['12.50']);
    expect(termsOf('1,234,567')).toEqual(['1234567']);
    expect(termsOf('sections 3,14')).toContain('3,14');
  });

  it('see through accents, ligatures and full-width letters', () => {
    expect(termsOf('café ﬁnance ＰＬＡＮ')).toEqual(termsOf('cafe finance plan'));
  });

  it('leave words of other languages whole, and cut scripts without spaces into pairs', () => {
    expect(termsOf('Selbstbeteiligung')).toEqual(['selbstbeteiligung']);
    expect(termsOf('страховка')).toEqual(['страховка']);
    expect(termsOf('保険証券')).toEqual(['保険', '険証', '証券']);
    expect(termsOf('猫')).toEqual(['猫']);
  });

  it('are bounded in length, so that they fit the index', () => {
    expect(termsOf('x'.repeat(5_000))).toEqual(['x'.repeat(64)]);
  });

  it('are none in a text that only asks', () => {
    expect(termsOf('What is it? Who are you?')).toEqual([]);
    expect(termsOf('… — !')).toEqual([]);
  });
});
