import { harmlessDetail, harmlessTargets } from './audit-detail.js';

describe('what may stand in a record', () => {
  it('keeps ids, numbers, names and short lists as they are', () => {
    const detail = { document_id: '0196', size_bytes: 12, shared: true, tags: ['a', 'b'], page: null };
    expect(harmlessDetail(detail)).toEqual(detail);
  });

  it('keeps only the digest of a long text, at any depth', () => {
    const sentence = 'The emergency room copay is $250. '.repeat(10);
    const detail = harmlessDetail({ text: sentence, nested: { list: [sentence] }, [sentence]: 1 });
    expect(JSON.stringify(detail)).not.toContain('copay');
    expect(detail.text).toMatch(/^sha256:[0-9a-f]{16} \(340 characters\)$/);
  });

  it('names a target as the database does, however it was typed', () => {
    const id = '0198C0DE-0000-7000-8000-00000000ABCD';
    expect(harmlessTargets([{ type: 'document', id }])).toEqual([{ type: 'document', id: id.toLowerCase() }]);
    expect(harmlessTargets([{ type: 'model', id: 'Qwen' }])).toEqual([{ type: 'model', id: 'Qwen' }]);
  });

  it('is bounded in every direction', () => {
    const wide = Object.fromEntries(Array.from({ length: 1_000 }, (_, i) => [`k${i}`, i]));
    const deep = { a: { b: { c: { d: { e: 'f' } } } } };
    const detail = harmlessDetail({ wide, deep, long: Array.from({ length: 1_000 }, (_, i) => i) });
    expect(Object.keys(detail.wide as object)).toHaveLength(40);
    expect(detail.long).toHaveLength(200);
    expect(JSON.stringify(detail.deep)).toBe('{"a":{"b":{"c":"[too deep]"}}}');
    expect(
      harmlessTargets(Array.from({ length: 1_000 }, (_, i) => ({ type: 'passage', id: `p${i}` }))),
    ).toHaveLength(200);
  });

  it('leaves out what is undefined', () => {
    expect(harmlessDetail({ a: undefined, b: 1 })).toEqual({ b: 1 });
  });
});
