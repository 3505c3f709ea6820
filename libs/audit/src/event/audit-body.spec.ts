import { systemActor, type AuditRecord } from '../audit-record.js';
import { alteredColumns, auditBody, type AuditColumns, auditMoment, bodyOfColumns } from './audit-body.js';
import { canonicalJson } from './canonical-json.js';

describe('canonical JSON', () => {
  it('is as in the example of RFC 8785, section 3.2.3', () => {
    const input = {
      numbers: [333333333.3333333, 1e30, 4.5, 2e-3, 0.000000000000000000000000001],
      string: '\u20ac$\u000F\u000aA\'\u0042\u0022\u005c\\"/',
      literals: [null, true, false],
    };
    expect(canonicalJson(input)).toBe(
      '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],' +
        '"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
    );
  });

  it('sorts members by UTF-16 code units, as the example of section 3.2.3 does', () => {
    const members = { '€': 1, '\r': 2, '\ufb33': 3, '1': 4, '😀': 5, '\u0080': 6, ö: 7 };
    expect(Object.values(JSON.parse(canonicalJson(members)) as object)).toHaveLength(7);
    expect([...canonicalJson(members).matchAll(/:(\d)/g)].map(([, digit]) => Number(digit))).toEqual([
      2, 4, 6, 7, 1, 5, 3,
    ]);
  });

  it.each([
    [-0, '0'],
    [1e21, '1e+21'],
    [5e-324, '5e-324'],
    [9007199254740992, '9007199254740992'],
    [NaN, 'null'],
    ['\ud800x', '"�x"'],
    ['a\0b', '"a�b"'],
    [{ a: undefined, b: [undefined] }, '{"b":[null]}'],
    [undefined, 'null'],
    [{ b: 1, a: { 9: 1, 10: 2, '2x': 3 } }, '{"a":{"10":2,"2x":3,"9":1},"b":1}'],
    [[{ d: [], c: '\\u0000' }], '[{"c":"\\\\u0000","d":[]}]'],
  ])('writes %p as %s', (value, text) => {
    expect(canonicalJson(value)).toBe(text);
  });
});

describe('the body of an event', () => {
  const identity = {
    tenantId: '11111111-1111-4111-8111-111111111111',
    id: '0198c0de-0000-7000-8000-000000000000',
    occurredAt: '2026-11-03T10:00:00.123Z',
  };
  const record: AuditRecord = {
    action: 'document.upload',
    category: 'data.write',
    actor: { ...systemActor(identity.tenantId), role: 'admin' },
    targets: [{ type: 'document', id: 'd1' }],
    outcome: 'success',
    context: {},
    detail: { size_bytes: 7, name: 'a\nb' },
  };
  const columns: AuditColumns = {
    tenant_id: identity.tenantId,
    id: identity.id,
    occurred_at: '2026-11-03T10:00:00.123000Z',
    action: 'document.upload',
    category: 'data.write',
    actor_type: 'system',
    actor_id: null,
    actor_role: 'admin',
    credential_id: null,
    targets: [{ type: 'document', id: 'd1' }],
    outcome: 'success',
    reason: null,
    request_id: null,
    route: null,
    context: {},
    detail: { name: 'a\nb', size_bytes: 7 },
  };

  it('is the same whether it is made from the record or from its columns, and one line', () => {
    const body = auditBody(identity, record);
    expect(body).toBe(bodyOfColumns(columns));
    expect(body).not.toContain('\n');
    expect(JSON.parse(body)).toMatchObject({ v: 1, actor: { type: 'system', role: 'admin', id: null } });
    expect(alteredColumns(columns, body)).toEqual([]);
  });

  it('tells which columns are not what it says', () => {
    const body = auditBody(identity, record);
    expect(alteredColumns({ ...columns, actor_role: null, detail: {} }, body)).toEqual([
      'actor_role',
      'detail',
    ]);
    expect(alteredColumns(columns, body.replace('"v":1', '"v":3'))).toContain('action');
    expect(alteredColumns(columns, 'no body')).toContain('action');
  });

  it('has commitments of personal data in a version of its own, which no column tells of', () => {
    const refs = [{ field: 'client_address' as const, commitment: 'c2FsdGVk' }];
    const body = auditBody(identity, record, refs);
    expect(JSON.parse(body)).toMatchObject({ v: 2, pii_refs: refs });
    expect(body).toBe(bodyOfColumns(columns, refs));
    expect(alteredColumns(columns, body)).toEqual([]);
    expect(alteredColumns({ ...columns, detail: {} }, body)).toEqual(['detail']);
  });

  it('has a time that grows within a millisecond', () => {
    const moments = Array.from({ length: 3 }, () => auditMoment(() => 1_793_700_000_123));
    expect(moments).toEqual(moments.toSorted());
    expect(new Set(moments).size).toBe(3);
    expect(moments[0]).toMatch(/^2026-11-03T\d\d:\d\d:\d\d\.123000Z$/);
  });
});
