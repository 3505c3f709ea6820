import { InvalidConfiguration } from '#libs/config';
import { alertSection } from './monitoring.config.js';
import { MonitoringModule } from './monitoring.module.js';

describe('the settings of alerts', () => {
  const secret = Buffer.alloc(24, 1).toString('base64');
  const register = (settings: object) =>
    MonitoringModule.register(alertSection.schema.parse(settings), { port: 0 }, { useFactory: () => [] });

  it('stop the start when messages could not be signed, naming the variable', () => {
    const start = () => register({ webhookUrl: 'https://example.com/hook' });
    expect(start).toThrow(InvalidConfiguration);
    expect(start).toThrow(/ALERT_WEBHOOK_SECRET/);
    expect(() => register({ webhookUrl: 'https://example.com/hook', webhookSecret: secret })).not.toThrow();
    expect(() => register({})).not.toThrow();
  });

  it.each(['short', `whsec_${'A'.repeat(31)}`, 'no base64 at all, but long enough otherwise'])(
    'do not take %s for a secret',
    (webhookSecret) => {
      expect(alertSection.schema.safeParse({ webhookSecret }).success).toBe(false);
    },
  );
});
