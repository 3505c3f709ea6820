import { PasswordRefused } from '../auth.errors.js';
import { COMMON_PASSWORDS, leakedPasswords } from './common-passwords.js';
import { assertAcceptablePassword } from './password-policy.js';

const email = 'grace.hopper@example.com';

describe('the rules for a new password', () => {
  it.each([
    'correct horse battery staple',
    '        x        ',
    'ünïcödé-wörds',
    'x1'.repeat(128),
    '12 34 56 78',
    'my policy number is long',
  ])('accept %j: length counts, kinds of characters do not', (password) => {
    expect(() => assertAcceptablePassword(password, email)).not.toThrow();
  });

  it.each([
    ['too short', 'seven77'],
    ['empty', ''],
    ['too long', 'x1'.repeat(129)],
    ['common', 'password1'],
    ['common in other case', 'PassWord123'],
    ['of this product', 'Insurance123'],
    ['a word of this product with figures around it', '!!Navigator-2031!!'],
    ['several of its words', 'AdminPolicy#7 xyz'],
    ['one character over and over', 'zzzzzzzzzzzz'],
    ['one sign over and over', '🔑🔑🔑🔑🔑🔑'],
    ['the e-mail address', 'Grace.Hopper@example.com'],
    ['the name in the e-mail address', 'grace.hopper'],
  ])('refuse one that is %s', (_, password) => {
    expect(() => assertAcceptablePassword(password, email)).toThrow(PasswordRefused);
  });

  it('never repeat the password in the error', () => {
    expect(() => assertAcceptablePassword('password1', email)).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('password1') }),
    );
  });

  it('come with lists whose entries they would not refuse anyway', () => {
    expect(COMMON_PASSWORDS.size).toBeGreaterThan(400);
    const odd = [...COMMON_PASSWORDS, ...leakedPasswords()].filter(
      (password) => password !== password.toLowerCase() || password.length < 8,
    );
    expect(odd).toEqual([]);
  });

  it('refuse more than seventeen thousand passwords that were leaked, whatever their case', () => {
    const leaked = leakedPasswords();
    expect(new Set(leaked).size).toBeGreaterThan(17_000);
    for (const password of leaked.filter((_, i) => i % 100 === 0))
      for (const written of [password, password.toUpperCase()])
        expect(() => assertAcceptablePassword(written, email)).toThrow(PasswordRefused);
  });
});
