import { hash, randomBytes, randomUUID } from 'node:crypto';
import type { EntityManager } from 'typeorm';
import { SealingKey } from '#libs/secrets';
import { type CommittedValues, PersonalData, type SealedValue } from './personal-data.js';

const [tenantId, person, eventId] = [randomUUID(), randomUUID(), randomUUID()];
const key = new SealingKey(randomBytes(32));
const values = { user_agent: 'curl/8', client_address: '203.0.113.7' };

/** What `read` asks the database for: the commitments of an event, and what is kept of them. */
function logOf({ refs }: Pick<CommittedValues, 'refs'>, rows: readonly SealedValue[]): EntityManager {
  const query = (sql: string) =>
    Promise.resolve(
      sql.includes('audit_event')
        ? [{ id: eventId, refs }]
        : rows.map(({ commitment, sealed }) => ({
            commitment: Buffer.from(commitment, 'base64'),
            sealed: Buffer.from(sealed, 'base64'),
          })),
    );
  return { query } as unknown as EntityManager;
}

describe('personal data of the audit log', () => {
  let nowMs: number;
  let personal: PersonalData;

  beforeEach(() => {
    nowMs = 0;
    personal = new PersonalData(key, () => nowMs);
  });

  const shown = async (committed: CommittedValues, rows = committed.rows) =>
    (await personal.read(logOf(committed, rows), tenantId, [eventId])).get(eventId)!;

  it('is shown with the salt that leads from the value to what the event committed to', async () => {
    const committed = personal.commit(tenantId, person, values)!;
    expect(committed.refs.map(({ field }) => field)).toEqual(['client_address', 'user_agent']);
    const data = await shown(committed);
    expect(data.map(({ state, value }) => [state, value])).toEqual([
      ['shown', '203.0.113.7'],
      ['shown', 'curl/8'],
    ]);
    for (const { salt, value, commitment } of data)
      expect(
        hash('sha256', Buffer.concat([Buffer.from(salt!, 'base64'), Buffer.from(value!)]), 'base64'),
      ).toBe(commitment);
  });

  it('is not in what is committed to, nor in what is sealed', () => {
    const text = JSON.stringify(personal.commit(tenantId, person, values));
    expect(text).not.toContain('203.0.113.7');
    expect(
      Buffer.from(personal.commit(tenantId, person, values)!.rows[0]!.sealed, 'base64').toString('latin1'),
    ).not.toContain('203');
  });

  it('is kept once for the events of a while, from when it is known to be there', () => {
    const first = personal.commit(tenantId, person, values)!;
    const meanwhile = personal.commit(tenantId, person, values)!;
    expect(meanwhile.refs).toEqual(first.refs);
    expect(meanwhile.rows).toHaveLength(2);
    first.written();
    expect(personal.commit(tenantId, person, values)!.rows).toEqual([]);
    nowMs = 600_000;
    const later = personal.commit(tenantId, person, values)!;
    expect(later.rows).toHaveLength(2);
    expect(later.refs).not.toEqual(first.refs);
  });

  it('is committed to anew for another person and another tenant', () => {
    const [one] = personal.commit(tenantId, person, values)!.refs;
    for (const [tenant, subject] of [
      [tenantId, randomUUID()],
      [tenantId, undefined],
      [randomUUID(), person],
    ] as const)
      expect(personal.commit(tenant, subject, values)!.refs).not.toContainEqual(one);
  });

  it('is erased where nothing is kept of it, and altered where it is not what was committed to', async () => {
    const committed = personal.commit(tenantId, person, values)!;
    expect((await shown(committed, [])).map(({ state }) => state)).toEqual(['erased', 'erased']);
    const [address, agent] = committed.rows;
    const swapped = [{ ...address!, sealed: agent!.sealed }, agent!];
    expect((await shown(committed, swapped)).map(({ state }) => state)).toEqual(['altered', 'shown']);
    const { commitment } = address!;
    const forged = key.seal(
      JSON.stringify([randomBytes(32).toString('base64'), '198.51.100.1']),
      `audit ${tenantId} ${commitment}`,
    );
    const replaced = [{ ...address!, sealed: forged.toString('base64') }];
    expect((await shown(committed, replaced))[0]).toEqual({
      field: 'client_address',
      commitment,
      state: 'altered',
    });
  });

  it('is nothing where nothing is known', () => {
    expect(personal.commit(tenantId, person, {})).toBeUndefined();
    expect(personal.commit(tenantId, person, { user_agent: undefined, client_address: '' })).toBeUndefined();
  });
});
