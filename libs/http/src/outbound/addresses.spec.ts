import { AllowedAddresses, isNetwork } from './addresses.js';

describe('addresses that may be connected to', () => {
  const allowed = new AllowedAddresses();

  it.each(['93.184.216.34', '8.8.8.8', '172.32.0.1', '100.128.0.1', '2606:2800:220:1::1', '2a00:1450::8'])(
    'allow a public address: %s',
    (address) => expect(allowed.allows(address)).toBe(true),
  );

  it.each([
    ['0.0.0.0', 'this host'],
    ['10.1.2.3', 'private'],
    ['100.64.0.1', 'shared by carriers'],
    ['127.0.0.1', 'loopback'],
    ['127.255.255.254', 'loopback'],
    ['169.254.169.254', 'metadata of clouds'],
    ['172.16.0.1', 'private'],
    ['172.31.255.255', 'private'],
    ['192.0.0.170', 'protocol assignments'],
    ['192.168.1.1', 'private'],
    ['198.18.0.1', 'benchmarks'],
    ['203.0.113.9', 'documentation'],
    ['224.0.0.1', 'multicast'],
    ['255.255.255.255', 'broadcast'],
    ['::', 'unspecified'],
    ['::1', 'loopback'],
    ['::ffff:127.0.0.1', 'mapped'],
    ['::ffff:a9fe:a9fe', 'mapped metadata'],
    ['::ffff:8.8.8.8', 'mapped, though public'],
    ['::7f00:1', 'compatible'],
    ['64:ff9b::a00:1', 'translated'],
    ['64:ff9b:1::1', 'translated locally'],
    ['100::1', 'discard'],
    ['2001::1', 'Teredo'],
    ['2001:db8::1', 'documentation'],
    ['2002:7f00:1::', '6to4 of loopback'],
    ['3fff::1', 'documentation'],
    ['fc00::1', 'unique local'],
    ['fd12::1', 'unique local'],
    ['fe80::1', 'link-local'],
    ['fe80::1%eth0', 'link-local with a zone'],
    ['ff02::1', 'multicast'],
    ['2130706433', 'no address'],
    ['localhost', 'no address'],
    ['', 'no address'],
  ])('refuse %s (%s)', (address) => expect(allowed.allows(address)).toBe(false));

  it('are of any host unless the operator names some, and then of these alone', () => {
    expect(allowed.allowsHost('files.example.com')).toBe(true);
    const named = new AllowedAddresses(
      [],
      ['Files.example.com', '*.insurer.example', '93.184.216.34', '2606:2800::1'],
    );
    for (const host of [
      'files.example.com',
      'FILES.example.com.',
      'a.insurer.example',
      'b.a.insurer.example',
    ])
      expect([host, named.allowsHost(host)]).toEqual([host, true]);
    for (const host of ['93.184.216.34', '2606:2800::1']) expect(named.allowsHost(host)).toBe(true);
    for (const host of [
      'example.com',
      'x.files.example.com',
      'files.example.com.evil.example',
      'insurer.example',
      'notinsurer.example',
      '8.8.8.8',
      '',
    ])
      expect([host, named.allowsHost(host)]).toEqual([host, false]);
  });

  it('allow what the operator names, and nothing beside it', () => {
    const named = new AllowedAddresses(['10.1.0.0/16', 'fd00::/8']);
    expect(['10.1.9.9', 'fd12::1', '8.8.8.8'].map((address) => named.allows(address))).toEqual([
      true,
      true,
      true,
    ]);
    expect(['10.2.0.1', 'fc00::1', '127.0.0.1'].map((address) => named.allows(address))).toEqual([
      false,
      false,
      false,
    ]);
  });
});

it.each([
  ['10.0.0.0/8', true],
  ['fd00::/8', true],
  ['10.0.0.0/33', false],
  ['10.0.0.0', false],
  ['10.0.0/8', false],
  ['fe80::%eth0/10', false],
  ['10.0.0.0/8/8', false],
  ['', false],
])('knows whether %s is a network', (text, expected) => expect(isNetwork(text)).toBe(expected));
