import { InvalidCursor } from '#libs/http';
import { ListAuditEvents, toAuditQuery } from './audit-events.dto.js';

describe('a query of the audit log', () => {
  it('has defaults', () => {
    expect(toAuditQuery(ListAuditEvents.parse({}))).toMatchObject({
      order: 'desc',
      limit: 21,
      after: undefined,
    });
    expect(ListAuditEvents.parse({}).scope).toBe('tenant');
  });

  it.each([
    { action: 'document.*' },
    { action: '*' },
    { action: 'api-key.create' },
    { from: '2026-11-03T10:00:00Z', to: '2026-11-03T11:00:00.123456+01:00' },
    { limit: '100', order: 'asc', outcome: 'denied', request_id: 'abc', target_id: 'sha256:x' },
  ])('accepts %j', (query) => {
    expect(ListAuditEvents.safeParse(query).success).toBe(true);
  });

  it.each([
    { action: '*.upload' },
    { action: "x' or true --" },
    { action: ['a', 'b'] },
    { from: 'yesterday' },
    { from: '0000-01-01T00:00:00Z' },
    { to: '2026-11-03T11:00:00-16:00' },
    { actor_id: 'me' },
    { outcome: 'ok' },
    { order: 'random' },
    { limit: '101' },
    { tenant_id: 'another' },
  ])('refuses %j', (query) => {
    expect(ListAuditEvents.safeParse(query).success).toBe(false);
  });

  it('goes on where the page before ended', () => {
    const after = ['2026-11-03T10:00:00.123456Z', '0198c0de-0000-7000-8000-000000000000'];
    const cursor = Buffer.from(JSON.stringify(after)).toString('base64url');
    expect(toAuditQuery(ListAuditEvents.parse({ cursor })).after).toEqual({
      occurredAt: after[0],
      id: after[1],
    });
  });

  it.each(['nonsense', Buffer.from('["2026-11-03","x"]').toString('base64url')])(
    'refuses the cursor %s',
    (cursor) => {
      expect(() => toAuditQuery(ListAuditEvents.parse({ cursor }))).toThrow(InvalidCursor);
    },
  );
});
