import { allowedNetworks } from './allowed-networks.js';

describe('allowedNetworks', () => {
  const office = allowedNetworks(['192.0.2.0/24', '198.51.100.7/32', '2001:db8:1::/48']);

  it.each(['192.0.2.1', '192.0.2.255', '198.51.100.7', '::ffff:192.0.2.9', '2001:db8:1:2::3'])(
    'has %s',
    (address) => expect(office.has(address)).toBe(true),
  );

  it.each([
    '192.0.3.1',
    '198.51.100.8',
    '2001:db8:2::1',
    '::ffff:192.0.3.1',
    '127.0.0.1',
    '::1',
    '',
    'x',
    '192.0.2',
  ])('does not have %j', (address) => expect(office.has(address)).toBe(false));
});
