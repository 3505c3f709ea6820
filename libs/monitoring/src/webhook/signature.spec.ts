import { retryMsAfter } from './deliveries.js';
import { signedHeaders } from './signature.js';

describe('a signed message', () => {
  it('has the headers of the example in the Standard Webhooks libraries', () => {
    expect(
      signedHeaders(
        'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
        'msg_p5jXN8AQM9LWM0D4loKWxJek',
        1_614_265_330,
        '{"test": 2432232314}',
      ),
    ).toEqual({
      'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      'webhook-timestamp': '1614265330',
      'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    });
  });

  it('is signed alike with and without the prefix of the secret, and unlike for another body', () => {
    const sign = (secret: string, body: string) => signedHeaders(secret, 'id', 1, body)['webhook-signature'];
    const secret = Buffer.alloc(24, 7).toString('base64');
    expect(sign(`whsec_${secret}`, 'a')).toBe(sign(secret, 'a'));
    expect(sign(secret, 'a')).not.toBe(sign(secret, 'b'));
  });
});

describe('the time to the next attempt', () => {
  it('grows fourfold up to six hours, a little by chance', () => {
    expect([1, 2, 3, 8, 11].map((attempt) => retryMsAfter(attempt, () => 0.5))).toEqual([
      1_000, 4_000, 16_000, 16_384_000, 21_600_000,
    ]);
    expect(retryMsAfter(1, () => 0)).toBe(900);
    expect(retryMsAfter(1, () => 1)).toBe(1_100);
  });
});
