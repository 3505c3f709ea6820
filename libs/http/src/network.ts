import { isIPv6 } from 'node:net';

/** What one subscriber has at least: an address of IPv4, a /64 of IPv6, within which he changes it as he likes. */
export function subscriberOf(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address);
  if (mapped) return mapped[1]!;
  if (!isIPv6(address)) return address;
  const [head = '', tail] = address.split('%')[0]!.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail ? tail.split(':') : [];
  const zeros =
    tail === undefined ? [] : Array<string>(Math.max(0, 8 - left.length - right.length)).fill('0');
  return [...left, ...zeros, ...right]
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':');
}

/** Addresses that one person can easily change between count as one: a /24 of IPv4, a /64 of IPv6. */
export function networkOf(address: string): string {
  const subscriber = subscriberOf(address);
  return subscriber.includes(':') ? subscriber : subscriber.split('.').slice(0, 3).join('.');
}
