import { z } from 'zod';
import { isIP } from 'node:net';
import { isNetwork } from './addresses.js';

/** A setting that names networks in CIDR form, comma separated; none unless given. */
export const networkList = (description: string) =>
  z
    .string()
    .default('')
    .refine((list) => networksIn(list).every(isNetwork), 'networks in CIDR form, comma separated')
    .describe(description);

/** A setting that names hosts, comma separated; any unless given. */
export const hostList = (description: string) =>
  z
    .string()
    .max(10_000)
    .default('')
    .refine((list) => hostsIn(list).every(isHost), 'names of hosts, with *. before one for all below it')
    .describe(description);

export const networksIn = partsOf;
export const hostsIn = partsOf;

const NAME = /^(\*\.)?([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]*[a-z0-9])?$/i;

const isHost = (host: string) => isIP(host) !== 0 || NAME.test(host);

function partsOf(list: string): string[] {
  return list
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}
