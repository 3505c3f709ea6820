import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeBooklet } from './booklet/booklet.js';
import { makeClaimLetter } from './claim-letter.js';
import { makeFaq } from './faq.js';

/** Every sample document by its file name, with the function that makes its bytes. */
export const samples: Record<string, () => Promise<Buffer> | Buffer> = {
  'benefits-booklet.pdf': makeBooklet,
  'claim-letter.docx': makeClaimLetter,
  'faq.html': makeFaq,
};

/** Run by `npm run samples`, from the project's root. An argument names another folder to write to. */
if (import.meta.main) {
  const folder = process.argv[2] ?? join('demo', 'samples');
  for (const [name, make] of Object.entries(samples)) {
    const bytes = await make();
    await writeFile(join(folder, name), bytes);
    console.log(`${join(folder, name)}: ${bytes.length} bytes`);
  }
}
