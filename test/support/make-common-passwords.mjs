/**
 * Makes apps/api/src/auth/passwords/common-passwords.data.ts from the list of the npm package
 * @zxcvbn-ts/language-common (MIT), which is no dependency of ours:
 *
 *   npm pack @zxcvbn-ts/language-common && tar xzf zxcvbn-ts-language-common-*.tgz
 *   node test/support/make-common-passwords.mjs package/src/passwords.json
 */
import { readFile, writeFile } from 'node:fs/promises';
import { brotliCompressSync } from 'node:zlib';

const SHORTEST = 8;
const TARGET = new URL('../../apps/api/src/auth/passwords/common-passwords.data.ts', import.meta.url);

const all = JSON.parse(await readFile(process.argv[2], 'utf8'));
const list = [...new Set(all.map((password) => password.toLowerCase()))]
  .filter((password) => password.length >= SHORTEST)
  .sort();
const packed = brotliCompressSync(list.join('\n')).toString('base64');
await writeFile(
  TARGET,
  `/**
 * ${list.length.toLocaleString('en')} passwords from the top of lists of leaked ones, from ${SHORTEST} characters on, in lower case: lines, as
 * base64 of brotli. Made by test/support/make-common-passwords.mjs from @zxcvbn-ts/language-common, which is
 * Copyright (c) 2012-2016 Dan Wheeler and Dropbox, Inc., and zxcvbn-ts contributors, under the MIT
 * License (common-passwords.LICENSE.txt).
 */
export const PACKED_PASSWORDS =
  '${packed}';
`,
);
