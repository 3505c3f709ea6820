import { BlockList, isIP } from 'node:net';
import type { AddressCheck } from '#libs/auth';

/** Tells whether an address lies in one of these networks, each in CIDR form; also one of IPv4 written as IPv6. */
export function allowedNetworks(networks: readonly string[]): AddressCheck {
  const list = new BlockList();
  for (const network of networks) {
    const [address, prefix] = network.split('/') as [string, string];
    list.addSubnet(address, Number(prefix), familyOf(address));
  }
  return { has: (address) => isIP(address) !== 0 && list.check(address, familyOf(address)) };
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 6 ? 'ipv6' : 'ipv4';
}
