import { BlockList, isIP } from 'node:net';

/** Everything in IPv4 that is not an ordinary public address (IANA's special-purpose registry), and multicast. */
const SPECIAL_IPV4 = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
];

/** What lies outside is special: loopback, link-local, unique local, multicast, mapped and translated addresses. */
const GLOBAL_IPV6 = ['2000::/3'];
/** And some inside: protocol assignments with Teredo, documentation, 6to4, which holds an address of IPv4. */
const SPECIAL_IPV6 = ['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20'];

const special = blockListOf([...SPECIAL_IPV4, ...SPECIAL_IPV6]);
const global = blockListOf(GLOBAL_IPV6);

/** Where connections may go: to public addresses, and to networks that the operator names; on named hosts, if he names any. */
export class AllowedAddresses {
  private readonly named: BlockList;
  private readonly hosts: readonly string[];

  /**
   * @param networks in CIDR form
   * @param hosts names, `*.` before one for all below it, and addresses; empty: any
   * @throws TypeError for what is no network
   */
  constructor(networks: readonly string[] = [], hosts: readonly string[] = []) {
    this.named = blockListOf(networks);
    this.hosts = hosts.map((host) => host.toLowerCase());
  }

  /** As a URL has it, an address of IPv6 without its brackets. */
  allowsHost(hostname: string): boolean {
    if (this.hosts.length === 0) return true;
    const name = hostname.toLowerCase().replace(/\.$/, '');
    return this.hosts.some((host) => (host.startsWith('*.') ? name.endsWith(host.slice(1)) : name === host));
  }

  /** False also for what is no address. */
  allows(address: string): boolean {
    const family = isIP(address);
    if (family === 0 || address.includes('%')) return false;
    const type = family === 4 ? 'ipv4' : 'ipv6';
    if (this.named.check(address, type)) return true;
    if (family === 4) return !special.check(address, type);
    return global.check(address, type) && !special.check(address, type);
  }
}

/** Whether this is a network in CIDR form, such as 10.0.0.0/8 or fd00::/8. */
export function isNetwork(text: string): boolean {
  const [address = '', prefix = '', ...rest] = text.split('/');
  const family = isIP(address);
  if (family === 0 || address.includes('%') || rest.length > 0 || !/^\d{1,3}$/.test(prefix)) return false;
  return Number(prefix) <= (family === 4 ? 32 : 128);
}

function blockListOf(networks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const network of networks) {
    if (!isNetwork(network)) throw new TypeError(`${network} is not a network`);
    const [address, prefix] = network.split('/') as [string, string];
    list.addSubnet(address, Number(prefix), isIP(address) === 4 ? 'ipv4' : 'ipv6');
  }
  return list;
}
