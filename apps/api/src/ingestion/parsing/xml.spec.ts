import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseXml } from './xml.js';

const SECRET = 'canary-of-a-file';

describe('parseXml', () => {
  it('loads nothing that a document refers to, neither a file nor an address', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'xml-'));
    let asked = 0;
    const server = createServer((_, response) => response.end(SECRET, () => asked++));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      await writeFile(join(folder, 'secret'), SECRET);
      const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
      for (const from of [`file://${folder}/secret`, address]) {
        const root = parseXml(
          `<?xml version="1.0"?><!DOCTYPE d [<!ENTITY x SYSTEM "${from}"><!ENTITY % p SYSTEM "${from}">%p;]>
           <d><?xml-stylesheet href="${from}"?><t>&x;</t><i xmlns:xi="http://www.w3.org/2001/XInclude"><xi:include href="${from}"/></i></d>`,
        );
        expect(root.textContent).not.toContain(SECRET);
      }
      expect(asked).toBe(0);
    } finally {
      await new Promise((resolve) => server.close(resolve));
      await rm(folder, { recursive: true });
    }
  });

  it('does not unfold entities that are made of entities', () => {
    const entities = Array.from(
      { length: 9 },
      (_, i) => `<!ENTITY e${i + 1} "${`&e${i};`.repeat(10)}">`,
    ).join('');
    const root = parseXml(`<!DOCTYPE d [<!ENTITY e0 "laughs">${entities}]><d>&e9;</d>`);
    expect(root.textContent?.length ?? 0).toBeLessThan(1_000);
  });
});
