import {
  digestOfRecoveryCode,
  isTotpCode,
  newRecoveryCodes,
  newTotpSecret,
  stepOfCode,
  totpUri,
} from './totp.js';

/** RFC 6238, appendix B: "12345678901234567890" in base 32, and the last six of the eight digits given there. */
const SECRET = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ';

describe('codes that change with time', () => {
  it.each([
    [59, '287082'],
    [1_111_111_109, '081804'],
    [1_111_111_111, '050471'],
    [1_234_567_890, '005924'],
    [2_000_000_000, '279037'],
    [20_000_000_000, '353130'],
  ])('at %i seconds are those of RFC 6238', (seconds, code) => {
    const nowMs = seconds * 1_000;
    expect(stepOfCode(SECRET, code, { lastStep: null, nowMs })).toBe(Math.floor(seconds / 30));
  });

  it('are taken one step early and one step late, and no further', () => {
    const at = 1_234_567_890_000;
    for (const [delta, taken] of [
      [-2, false],
      [-1, true],
      [0, true],
      [1, true],
      [2, false],
    ] as const) {
      const step = stepOfCode(SECRET, '005924', { lastStep: null, nowMs: at + delta * 30_000 });
      expect(step !== undefined).toBe(taken);
      if (taken) expect(step).toBe(Math.floor(1_234_567_890 / 30));
    }
  });

  it('are good once, and so are those before them', () => {
    const nowMs = 1_234_567_890_000;
    const step = Math.floor(1_234_567_890 / 30);
    expect(stepOfCode(SECRET, '005924', { lastStep: step, nowMs })).toBeUndefined();
    expect(stepOfCode(SECRET, '005924', { lastStep: step + 1, nowMs })).toBeUndefined();
    expect(stepOfCode(SECRET, '005924', { lastStep: step - 1, nowMs })).toBe(step);
  });

  it('have a secret of 160 bits and an address that programs read', () => {
    const secret = newTotpSecret();
    expect(secret).toMatch(/^[A-Z2-7]{32}$/);
    expect(newTotpSecret()).not.toBe(secret);
    const uri = new URL(totpUri(secret, 'ann@example.com'));
    expect(uri.protocol).toBe('otpauth:');
    expect(uri.searchParams.get('secret')).toBe(secret);
    expect(decodeURIComponent(uri.pathname)).toContain('ann@example.com');
    expect([...uri.searchParams]).toEqual(
      expect.arrayContaining([
        ['digits', '6'],
        ['period', '30'],
      ]),
    );
  });

  it('are six digits, which recovery codes are not', () => {
    expect(isTotpCode('012345')).toBe(true);
    for (const code of ['12345', '1234567', '12345a', ...newRecoveryCodes()])
      expect(isTotpCode(code)).toBe(false);
  });
});

describe('recovery codes', () => {
  it('are ten, of 120 random bits each, without letters that look alike', () => {
    const codes = newRecoveryCodes();
    expect(new Set(codes).size).toBe(10);
    for (const code of codes) expect(code).toMatch(/^([A-HJ-NP-Z2-9]{4}-){5}[A-HJ-NP-Z2-9]{4}$/);
  });

  it('are recognised however they are typed', () => {
    const [code] = newRecoveryCodes() as [string];
    const digest = digestOfRecoveryCode(code);
    expect(digest).toMatch(/^[0-9a-f]{64}$/);
    for (const typed of [code.toLowerCase(), code.replaceAll('-', ''), ` ${code.replaceAll('-', ' ')} `])
      expect(digestOfRecoveryCode(typed)).toBe(digest);
  });
});
