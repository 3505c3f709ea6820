import { sizeText } from './size-text.js';

it.each([
  [0, '0 bytes'],
  [1_000, '1000 bytes'],
  [1_024, '1 KB'],
  [104_857_600, '100 MB'],
  [1_610_612_736, '1.5 GB'],
  [5 * 1_024 ** 5, '5120 TB'],
])('%d bytes are told as %s', (bytes, text) => expect(sizeText(bytes)).toBe(text));
