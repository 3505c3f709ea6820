import { randomUUID } from 'node:crypto';
import { TenantDb } from '#libs/database';
import { ConversationStore } from '../../apps/api/src/chat/conversations/conversation.store.js';
import { RepeatedTurns } from '../../apps/api/src/chat/questions/repeated-turns.js';
import type { Turn } from '../../apps/api/src/chat/questions/turn.js';
import { TurnStore } from '../../apps/api/src/chat/questions/turn.store.js';
import { findScope } from '../../apps/api/src/rag/answering/scope.store.js';
import { testDatabase, type TestDatabase, withoutPolicy } from '../support/test-database.js';

type Owner = { tenantId: string; userId: string };

let db: TestDatabase;
let tenantDb: TenantDb;
let repeated: RepeatedTurns;
let owner: Owner;
/** What the next record says; one that is null is refused. */
let said: string | null;
let committed: string[];

const store = new TurnStore();

beforeAll(async () => {
  db = await testDatabase();
  await db.owner.query('create table note (said text not null); grant insert on note to navigator_app');
});
afterAll(() => db.close());
beforeEach(async () => {
  owner = await db.createTenant();
  committed = [];
  await db.owner.query('truncate note');
  tenantDb = new TenantDb(db.source, 30_000, withoutPolicy);
  tenantDb.onBeforeCommit(() => {
    const words = said;
    const committedIt = () => void committed.push(words!);
    return { sql: 'insert into note (said) values ($1)', parameters: [words], committed: committedIt };
  });
  repeated = new RepeatedTurns(tenantDb, store);
});

async function newConversation(of = owner): Promise<string> {
  const id = randomUUID();
  await new ConversationStore().insert(db.tenantDb, of, id, null);
  return id;
}

async function addDocument(of = owner, visibility = 'private'): Promise<string> {
  const id = randomUUID();
  await db.owner.query(
    `insert into document (tenant_id, id, owner_id, visibility, title, filename, media_type, size_bytes, sha256, status,
                           answerable, live_generation)
     values ($1, $2, $3, $4, 't', 'f', 'text/plain', 1, decode(repeat('00', 32), 'hex'), 'ready', 'lexical', 1)`,
    [of.tenantId, id, of.userId, visibility],
  );
  return id;
}

async function fingerprintOf(reader = owner, selection: Turn['selection'] = {}): Promise<string> {
  const request = { reader, question: 'q', ...selection };
  return (await db.tenantDb.read(reader.tenantId, (tx) => findScope(tx, request))).fingerprint;
}

const ANSWER = {
  text: 'You pay $20.',
  notInDocuments: false,
  grounding: 1,
  citations: [],
  servedBy: 'cache',
  serviceLevel: 'full' as const,
  degradations: [],
  usage: null,
  timings: { retrieveMs: 0, generateMs: 0, totalMs: 0 },
  pendingDocumentIds: [],
};

function turnIn(conversationId: string, more: Partial<Turn> = {}): Turn {
  return {
    id: randomUUID(),
    conversationId,
    question: 'What do I pay?',
    selection: {},
    status: 'answered',
    results: [],
    text: ANSWER.text,
    citations: [],
    answer: ANSWER,
    errorCode: null,
    isSaved: true,
    createdAt: new Date(),
    ...more,
  };
}

const never = new AbortController().signal;
function save(
  turn: Turn,
  fingerprint: string,
  { of = owner, words = turn.id as string | null, signal = never } = {},
) {
  const entry = { turn, userId: of.userId, fingerprint };
  return repeated.save(of.tenantId, entry, signal, () => (said = words));
}

const find = ({ id, conversationId }: Turn, of = owner) =>
  db.tenantDb.read(of.tenantId, (tx) => store.find(tx, of, conversationId, id));
const notes = async () =>
  (await db.owner.query<{ said: string }>('select said from note')).rows.map((row) => row.said).sort();

describe('turns with answers that were given before', () => {
  it('are saved as any other, each with the record of its own request', async () => {
    await addDocument();
    const conversationId = await newConversation();
    const turn = turnIn(conversationId, { selection: { tags: [] }, createdAt: new Date(0) });
    expect(await save(turn, await fingerprintOf())).toBe(true);
    expect(await find(turn)).toEqual(turn);
    const conversation = await db.tenantDb.read(owner.tenantId, (tx) =>
      new ConversationStore().find(tx, owner, conversationId),
    );
    expect(conversation!.title).toBe('What do I pay?');
    expect([await notes(), committed]).toEqual([[turn.id], [turn.id]]);
  });

  it('go together in one transaction when they come together', async () => {
    const fingerprint = await fingerprintOf();
    const turns = await Promise.all(Array.from({ length: 5 }, async () => turnIn(await newConversation())));
    const outcomes = await Promise.all(turns.map((turn) => save(turn, fingerprint)));
    expect(outcomes).toEqual([true, true, true, true, true]);
    const { rows } = await db.owner.query(
      `select count(distinct transaction)::int as transactions, count(*)::int as rows
       from (select xmin::text as transaction from turn where tenant_id = $1
             union all select xmin::text from note) as written`,
      [owner.tenantId],
    );
    expect(rows).toEqual([{ transactions: 1, rows: 10 }]);
    expect(await notes()).toEqual(turns.map(({ id }) => id).sort());
  });

  it('are not saved, nor recorded, once their reader sees other documents', async () => {
    const colleague = { tenantId: owner.tenantId, userId: randomUUID() };
    await db.owner.query(
      `insert into app_user (tenant_id, id, email, password_hash, role) values ($1, $2, $3, 'none', 'member')`,
      [colleague.tenantId, colleague.userId, `${colleague.userId}@example.com`],
    );
    const shared = await addDocument(colleague, 'tenant');
    const own = await addDocument();
    const before = await fingerprintOf();
    const beforeOwn = await fingerprintOf(owner, { documentIds: [own] });
    const withdraw = `update document set visibility = 'private', version = version + 1 where id = $1`;
    await db.owner.query(withdraw, [shared]);

    const conversationId = await newConversation();
    const [all, one] = [
      turnIn(conversationId),
      turnIn(conversationId, { selection: { documentIds: [own] } }),
    ];
    expect(await Promise.all([save(all, before), save(one, beforeOwn)])).toEqual([false, true]);
    expect([await find(all), await find(one)]).toEqual([undefined, one]);
    expect(await notes()).toEqual([one.id]);
    expect(await save(all, await fingerprintOf())).toBe(true);
  });

  it('are not saved into conversations of others, nor by what others may see', async () => {
    const stranger = await db.createTenant();
    await addDocument();
    const turn = turnIn(await newConversation());
    expect(await save(turn, await fingerprintOf(stranger), { of: stranger })).toBe(false);
    expect(await save(turn, await fingerprintOf(stranger))).toBe(false);
    expect([await find(turn), await notes()]).toEqual([undefined, []]);
  });

  it('are saved once when they come again', async () => {
    const turn = turnIn(await newConversation());
    const fingerprint = await fingerprintOf();
    expect([await save(turn, fingerprint), await save(turn, fingerprint)]).toEqual([true, false]);
    expect(await notes()).toEqual([turn.id]);
  });

  it('wait for nobody who holds their conversation', async () => {
    const [held, free] = [turnIn(await newConversation()), turnIn(await newConversation())];
    const fingerprint = await fingerprintOf();
    const other = await db.owner.connect();
    try {
      await other.query('begin');
      await other.query('select from conversation where id = $1 for update', [held.conversationId]);
      expect(await Promise.all([save(held, fingerprint), save(free, fingerprint)])).toEqual([false, true]);
    } finally {
      await other.query('rollback');
      other.release();
    }
    expect(await save(held, fingerprint)).toBe(true);
  });

  it('are not saved without their records, and the next ones are', async () => {
    const turns = [turnIn(await newConversation()), turnIn(await newConversation())] as const;
    const fingerprint = await fingerprintOf();
    const refused = turns.map((turn, i) => save(turn, fingerprint, { words: i === 0 ? turn.id : null }));
    const outcomes = await Promise.allSettled(refused);
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect([await find(turns[0]), await notes(), committed]).toEqual([undefined, [], []]);
    expect(await save(turns[0], fingerprint)).toBe(true);
  });

  describe('while another transaction of the tenant is under way', () => {
    /** The first of the turns is being saved, and stands still. */
    async function standing(count: number) {
      const turns = await Promise.all(
        Array.from({ length: count }, async () => turnIn(await newConversation())),
      );
      const fingerprint = await fingerprintOf();
      const begun = Promise.withResolvers<void>();
      const held = Promise.withResolvers<void>();
      const { saveRepeated } = store;
      const hold = async (...args: Parameters<typeof saveRepeated>) => {
        store.saveRepeated = saveRepeated;
        begun.resolve();
        await held.promise;
        return store.saveRepeated(...args);
      };
      store.saveRepeated = hold;
      const first = save(turns[0]!, fingerprint);
      await begun.promise;
      return { turns, fingerprint, first, held };
    }

    it('do not wait for it long', async () => {
      const { turns, fingerprint, first, held } = await standing(2);
      expect(await save(turns[1]!, fingerprint)).toBe(true);
      held.resolve();
      expect(await first).toBe(true);
    });

    it('are not saved for those who leave, and fail with it at once', async () => {
      const { turns, fingerprint, first, held } = await standing(3);
      const leaving = new AbortController();
      const left = save(turns[1]!, fingerprint, { signal: leaving.signal });
      const waiting = save(turns[2]!, fingerprint);
      leaving.abort(new Error('gone'));
      await expect(left).rejects.toThrow('gone');
      held.reject(new Error('away'));
      await expect(first).rejects.toThrow('away');
      await expect(waiting).rejects.toThrow('away');
      expect(await Promise.all(turns.map((turn) => find(turn)))).toEqual([undefined, undefined, undefined]);
      expect(await save(turns[1]!, fingerprint)).toBe(true);
    });
  });

  it('of other tenants go in transactions of their own', async () => {
    const other = await db.createTenant();
    const [ours, theirs] = [turnIn(await newConversation()), turnIn(await newConversation(other))];
    const outcomes = [
      save(ours, await fingerprintOf()),
      save(theirs, await fingerprintOf(other), { of: other }),
    ];
    expect(await Promise.all(outcomes)).toEqual([true, true]);
    expect([await find(theirs, other), await find(theirs)]).toEqual([theirs, undefined]);
  });
});
