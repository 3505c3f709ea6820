import { z } from 'zod';
import { decodeCursor, encodeCursor, page } from './pagination.js';

const position = z.tuple([z.string(), z.number()]);

describe('pagination', () => {
  it('gives a cursor only when a row too many was found', () => {
    const rows = [1, 2, 3];
    const of = (limit: number) => page(rows, limit, (n) => ['id', n], String);
    expect(of(3)).toEqual({ items: ['1', '2', '3'], next_cursor: null });
    expect(of(2)).toEqual({ items: ['1', '2'], next_cursor: encodeCursor(['id', 2]) });
  });

  it('decodes its own cursors', () => {
    expect(decodeCursor(encodeCursor(['2026-01-01', 7]), position)).toEqual(['2026-01-01', 7]);
  });

  it.each(['', 'garbage', encodeCursor([1, 2]), Buffer.from('{}').toString('base64url')])(
    'refuses the foreign cursor %j',
    (cursor) => {
      expect(() => decodeCursor(cursor, position)).toThrow('not one that this list gave out');
    },
  );
});
