import { z } from 'zod';
import { isNetwork } from './addresses.js';

/** A setting that names networks in CIDR form, comma separated; none unless given. */
export const networkList = (description: string) =>
  z
    .string()
    .default('')
    .refine((list) => networksIn(list).every(isNetwork), 'networks in CIDR form, comma separated')
    .describe(description);

export function networksIn(list: string): string[] {
  return list
    .split(',')
    .map((network) => network.trim())
    .filter((network) => network !== '');
}
