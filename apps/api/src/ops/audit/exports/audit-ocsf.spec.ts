import type { AuditBody } from './audit-line.js';
import { toNdjson } from './audit-line.js';
import { ocsfEvent, toOcsf } from './audit-ocsf.js';

const BODY: AuditBody = {
  action: 'document.upload',
  actor: { type: 'api-key', id: 'u1', role: 'member', credential_id: 'k1' },
  category: 'data.write',
  context: { a: 1 },
  detail: { size_bytes: 12 },
  id: 'e1',
  occurred_at: '2026-11-03T10:00:00.123456Z',
  outcome: 'success',
  reason: null,
  request_id: 'r1',
  route: 'POST /v1/documents',
  targets: [{ type: 'document', id: 'd1' }],
  tenant_id: 't1',
};

const of = (body: Partial<AuditBody>) => {
  const whole = { ...BODY, ...body };
  const line = { id: whole.id, occurredAt: whole.occurred_at, body: JSON.stringify(whole), leafIndex: 7 };
  return ocsfEvent(line) as Record<string, unknown>;
};

describe('an event as OCSF 1.3.0', () => {
  it('is API Activity with all that the class requires', () => {
    expect(of({})).toEqual({
      class_uid: 6003,
      class_name: 'API Activity',
      category_uid: 6,
      activity_id: 1,
      activity_name: 'Create',
      type_uid: 600_301,
      status_id: 1,
      status: 'Success',
      severity_id: 1,
      severity: 'Informational',
      time: Date.UTC(2026, 10, 3, 10, 0, 0, 123),
      metadata: {
        version: '1.3.0',
        product: { name: 'Insurance Navigator', vendor_name: 'Insurance Navigator' },
        log_name: 'audit',
        uid: 'e1',
        tenant_uid: 't1',
        original_time: '2026-11-03T10:00:00.123456Z',
        correlation_uid: 'r1',
      },
      actor: { user: { uid: 'u1', type_id: 1, type: 'User', credential_uid: 'k1', org: { uid: 't1' } } },
      api: {
        operation: 'document.upload',
        service: { name: 'Insurance Navigator' },
        request: { uid: 'r1' },
      },
      src_endpoint: { name: 'withheld' },
      resources: [{ type: 'document', uid: 'd1' }],
      unmapped: {
        action: 'document.upload',
        category: 'data.write',
        outcome: 'success',
        role: 'member',
        route: 'POST /v1/documents',
        context: { a: 1 },
        detail: { size_bytes: 12 },
        leaf_index: 7,
      },
    });
  });

  it('is Authentication where somebody logs in or out', () => {
    const actor = { type: 'user', id: 'u1', role: 'admin', credential_id: 's1' };
    const user = { uid: 'u1', type_id: 2, type: 'Admin', org: { uid: 't1' } };
    const login = of({ action: 'auth.login', category: 'auth', actor, outcome: 'denied', reason: 'wrong' });
    expect(login).toMatchObject({
      class_uid: 3002,
      category_uid: 3,
      type_uid: 300_201,
      status_id: 2,
      status_code: 'wrong',
      severity_id: 3,
      user,
      actor: { user, session: { uid: 's1' } },
      service: { name: 'Insurance Navigator' },
      unmapped: { outcome: 'denied' },
    });
    expect(login).not.toHaveProperty('api');
    expect(of({ action: 'auth.logout', category: 'auth' })).toMatchObject({ type_uid: 300_202 });
    expect(of({ action: 'auth.refresh', category: 'auth' })).toMatchObject({ type_uid: 300_299 });
  });

  it.each([
    ['question.ask', 'data.read', 600_302],
    ['audit.read', 'security', 600_302],
    ['tenant.configure', 'admin', 600_303],
    ['document.delete', 'data.write', 600_304],
    ['fault.shake', 'admin', 600_399],
  ])('takes %s (%s) for type %d', (action, category, type_uid) => {
    expect(of({ action, category })).toMatchObject({ type_uid });
  });

  it('says that nobody is known, or the program itself', () => {
    const nobody = { type: 'anonymous', id: null, role: null, credential_id: null };
    expect(of({ actor: nobody })).toMatchObject({ actor: { user: { name: 'anonymous', type_id: 0 } } });
    expect(of({ actor: { ...nobody, type: 'system' } })).toMatchObject({
      actor: { user: { name: 'system', type_id: 3 } },
    });
  });
});

describe('a line of an export', () => {
  const line = { id: 'e1', occurredAt: '', body: '{"action":"ä\\n\\"","v":1}', leafIndex: null };

  it('keeps the exact text of the event', () => {
    const text = toNdjson(line);
    expect(text.split('\n')).toHaveLength(2);
    expect(JSON.parse(text)).toEqual({ id: 'e1', leaf_index: null, body: line.body });
  });

  it('is one line of JSON in OCSF too', () => {
    const text = toOcsf({ ...line, body: JSON.stringify({ ...BODY, request_id: 'a\nb' }) });
    expect(text.split('\n')).toHaveLength(2);
    expect(JSON.parse(text)).toMatchObject({ metadata: { correlation_uid: 'a\nb' } });
  });
});
