import type { AuditLine } from '#libs/audit';
import { CSV_HEADER, toCsv } from './audit-csv.js';
import type { AuditBody } from './audit-line.js';

const BODY: AuditBody = {
  action: 'document.upload',
  actor: { type: 'user', id: 'u1', role: 'admin', credential_id: 's1' },
  category: 'data.write',
  context: {},
  detail: { size_bytes: 12 },
  id: 'e1',
  occurred_at: '2026-11-03T10:00:00.123456Z',
  outcome: 'success',
  reason: null,
  request_id: 'r1',
  route: 'POST /v1/documents',
  targets: [
    { type: 'document', id: 'd1' },
    { type: 'document', id: 'd2' },
  ],
  tenant_id: 't1',
};

function lineOf(body: Partial<AuditBody> = {}, leafIndex: number | null = 7): AuditLine {
  const whole = { ...BODY, ...body };
  return { id: whole.id, occurredAt: whole.occurred_at, body: JSON.stringify(whole), leafIndex };
}

describe('the audit log as CSV', () => {
  it('has a column for each part of an event', () => {
    expect(CSV_HEADER.trim().split(',')).toHaveLength(16);
    expect(toCsv(lineOf())).toBe(
      '2026-11-03T10:00:00.123456Z,e1,7,document.upload,data.write,success,,user,u1,admin,s1,' +
        'document:d1 document:d2,r1,POST /v1/documents,{},"{""size_bytes"":12}"\r\n',
    );
    expect(toCsv(lineOf({}, null)).split(',')[2]).toBe('');
  });

  it.each(['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', '\r=1', '  =1', '\n@x'])(
    'makes a text of %j, which a spreadsheet would calculate',
    (formula) => {
      expect(toCsv(lineOf({ request_id: formula }))).toContain(`,"'${formula}",`);
    },
  );

  it.each([
    ['a,b', '"a,b"'],
    ['a"b', '"a""b"'],
    ['a\nb', '"a\nb"'],
    ['a=b', 'a=b'],
    ['a-b', 'a-b'],
  ])('keeps %j as it is', (id, cell) => {
    expect(toCsv(lineOf({ request_id: id }))).toContain(`,${cell},POST`);
  });
});
