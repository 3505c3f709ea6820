/**
 * A PDF of thousands of pages through the running program.
 * `npm run bench:large-pdf`, or `node dist/bench/large-pdf.js [pages]`.
 */
import { join } from 'node:path';
import { measureLargeDocument } from './large-document.js';
import { writeLargePdf } from './large-pdf-file.js';

const [pages = 10_000] = process.argv.slice(2).map(Number);
console.log(`${pages} pages`);
await measureLargeDocument(async (folder) => {
  const path = join(folder, 'large.pdf');
  await writeLargePdf(path, pages);
  return path;
});
