import { randomUUID } from 'node:crypto';
import { DependencyUnavailable } from '#libs/errors';
import { Lifecycle } from '#libs/health';
import { DeadlineExceeded } from '#libs/errors';
import { ConversationsService } from '../../apps/api/src/chat/conversations/conversations.service.js';
import { ConversationStore } from '../../apps/api/src/chat/conversations/conversation.store.js';
import type { Owner } from '../../apps/api/src/chat/conversations/conversation.js';
import type { LiveTurn } from '../../apps/api/src/chat/questions/live-turn.js';
import { LiveTurns } from '../../apps/api/src/chat/questions/live-turns.js';
import { QuestionsService } from '../../apps/api/src/chat/questions/questions.service.js';
import { RepeatedTurns } from '../../apps/api/src/chat/questions/repeated-turns.js';
import { TurnStore } from '../../apps/api/src/chat/questions/turn.store.js';
import type { TurnEvent } from '../../apps/api/src/chat/questions/turn-events.js';
import type { Answer, AnswerEvent, AnswerService, Citation } from '../../apps/api/src/rag/index.js';
import { testDatabase, type TestDatabase } from '../support/test-database.js';

const DOCUMENT_ID = randomUUID();
const PASSAGE_ID = randomUUID();
const CITATION: Citation = {
  marker: 1,
  documentId: DOCUMENT_ID,
  documentTitle: 'Gold Plan',
  passageId: PASSAGE_ID,
  page: 2,
  box: { x: 0, y: 0, width: 1, height: 0.1 },
  quote: '$500',
  sourceStart: 4,
  sourceEnd: 8,
  answerStart: 0,
  answerEnd: 11,
};
const ANSWER: Answer = {
  text: 'You pay $500 [1].',
  notInDocuments: false,
  grounding: 0.9,
  citations: [CITATION],
  servedBy: 'openai:a',
  serviceLevel: 'full',
  degradations: [],
  usage: { inputTokens: 7, outputTokens: 3 },
  timings: { retrieveMs: 1, generateMs: 2, totalMs: 3 },
  pendingDocumentIds: [],
};
const RESULTS: AnswerEvent = {
  type: 'search-results',
  results: [
    {
      passageId: PASSAGE_ID,
      documentId: DOCUMENT_ID,
      documentTitle: 'Gold Plan',
      headingPath: ['A'],
      page: 2,
    },
  ],
};
const EVENTS: AnswerEvent[] = [
  RESULTS,
  { type: 'citation', citation: CITATION },
  { type: 'text', text: ANSWER.text },
  { type: 'answer', answer: ANSWER },
];

/** Answers with these steps; an error is thrown, a `hang` waits for the abort. */
let steps: (AnswerEvent | Error | 'hang')[] = EVENTS;
let onHang = () => {};
const answers = {
  repeat: () => Promise.resolve(undefined),
  async *stream(_request: unknown, signal: AbortSignal) {
    for (const step of steps) {
      if (step === 'hang') await untilAborted(signal);
      else if (step instanceof Error) throw step;
      else yield step;
    }
  },
} as unknown as AnswerService;

function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const stop = () => reject(signal.reason as Error);
    signal.addEventListener('abort', stop);
    if (signal.aborted) stop();
    onHang();
  });
}

let db: TestDatabase;
let owner: Owner;
let conversations: ConversationsService;
let questions: QuestionsService;
let otherProcess: QuestionsService;
let lifecycle: Lifecycle;
const never = new AbortController().signal;

beforeAll(async () => {
  db = await testDatabase();
  owner = await db.createTenant();
});
afterAll(() => db.close());
beforeEach(() => {
  const stores = [new ConversationStore(), new TurnStore()] as const;
  conversations = new ConversationsService(db.tenantDb, ...stores);
  lifecycle = new Lifecycle();
  const service = () => {
    const repeated = new RepeatedTurns(db.tenantDb, stores[1]);
    const live = new LiveTurns(lifecycle);
    return new QuestionsService(db.tenantDb, ...stores, repeated, answers, live, { resumeGraceMs: 0 });
  };
  questions = service();
  otherProcess = service();
  steps = EVENTS;
  onHang = () => {};
});

const FIRST_PAGE = { limit: 20 };
const question = (conversationId: string) => ({
  conversationId,
  question: 'What do I pay?',
  selection: { tags: ['home'] },
});
const beginLive = async (id: string) => (await questions.begin(owner, question(id), never)) as LiveTurn;
const turnsOf = async (id: string) => (await conversations.get(owner, id, FIRST_PAGE)).turns.items;

async function anotherUser(tenantId: string): Promise<Owner> {
  const userId = randomUUID();
  await db.owner.query(
    `insert into app_user (tenant_id, id, email, password_hash, role) values ($1, $2, $3, 'none', 'admin')`,
    [tenantId, userId, `${userId}@example.com`],
  );
  return { tenantId, userId };
}

async function collect(events: AsyncIterable<TurnEvent>): Promise<TurnEvent[]> {
  const all: TurnEvent[] = [];
  for await (const event of events) all.push(event);
  return all;
}

describe('conversations', () => {
  it('are listed page by page, the newest first, each once', async () => {
    const reader = await db.createTenant();
    const ids: string[] = [];
    for (const title of ['a', 'b', 'c']) ids.push((await conversations.create(reader, title)).id);
    const first = await conversations.list(reader, { limit: 2 });
    const second = await conversations.list(reader, { limit: 2, cursor: first.next_cursor! });
    expect([...first.items, ...second.items].map(({ id }) => id).sort()).toEqual(ids.sort());
    expect([first.items.length, second.items.length, second.next_cursor]).toEqual([2, 1, null]);
    await expect(conversations.list(reader, { limit: 2, cursor: 'x' })).rejects.toMatchObject({
      code: 'invalid-cursor',
    });
  });

  it('do not exist for anybody but their owner, not even for an admin of the tenant', async () => {
    const { id } = await conversations.create(owner, undefined);
    const { id: turnId } = await questions.ask(owner, question(id), never);
    const strangers = [await anotherUser(owner.tenantId), await db.createTenant()];
    for (const stranger of strangers) {
      const notFound = expect.objectContaining({ kind: 'not-found' });
      await expect(conversations.get(stranger, id, FIRST_PAGE)).rejects.toEqual(notFound);
      await expect(conversations.delete(stranger, id)).rejects.toEqual(notFound);
      await expect(questions.ask(stranger, question(id), never)).rejects.toEqual(notFound);
      await expect(questions.begin(stranger, question(id), never)).rejects.toEqual(notFound);
      await expect(questions.follow(stranger, { conversationId: id, turnId }, 0, never)).rejects.toEqual(
        notFound,
      );
      await expect(questions.cancel(stranger, id, turnId)).rejects.toEqual(notFound);
      expect((await conversations.list(stranger, FIRST_PAGE)).items).toEqual([]);
    }
    expect(await turnsOf(id)).toHaveLength(1);
  });

  it('are named after their first question unless they have a title, and come with their turns', async () => {
    const { id } = await conversations.create(owner, undefined);
    const named = await conversations.create(owner, 'My plan');
    for (const conversationId of [id, id, named.id])
      await questions.ask(owner, question(conversationId), never);
    const { conversation, turns } = await conversations.get(owner, id, { limit: 1 });
    expect(conversation.title).toBe('What do I pay?');
    expect(turns.items).toHaveLength(1);
    const older = await conversations.get(owner, id, { limit: 1, cursor: turns.next_cursor! });
    expect(older.turns.items[0]!.id < turns.items[0]!.id).toBe(true);
    expect(older.turns.next_cursor).toBeNull();
    expect((await conversations.get(owner, named.id, FIRST_PAGE)).conversation.title).toBe('My plan');
  });

  it('are deleted with their turns', async () => {
    const { id } = await conversations.create(owner, 'x');
    await questions.ask(owner, question(id), never);
    await conversations.delete(owner, id);
    await expect(conversations.get(owner, id, FIRST_PAGE)).rejects.toMatchObject({
      code: 'conversation-not-found',
    });
    const { rows } = await db.owner.query(`select from turn where conversation_id = $1`, [id]);
    expect(rows).toEqual([]);
  });
});

describe('a question that is answered at once', () => {
  it('is saved as it was answered', async () => {
    const { id } = await conversations.create(owner, 'x');
    const turn = await questions.ask(owner, question(id), never);
    expect(turn).toMatchObject({ status: 'answered', answer: ANSWER });
    expect(await turnsOf(id)).toEqual([turn]);
  });

  it('leaves no turn when it is refused before anything was searched', async () => {
    const { id } = await conversations.create(owner, 'x');
    steps = [new DependencyUnavailable('postgres')];
    await expect(questions.ask(owner, question(id), never)).rejects.toBe(steps[0]);
    expect(await turnsOf(id)).toEqual([]);
  });

  it('is saved as cancelled when its client leaves', async () => {
    const { id } = await conversations.create(owner, 'x');
    steps = [RESULTS, 'hang'];
    const client = new AbortController();
    const asking = questions.ask(owner, question(id), client.signal);
    setImmediate(() => client.abort(new Error('left')));
    await expect(asking).rejects.toThrow('left');
    expect(
      (await turnsOf(id)).map(({ status }) => status).filter((status) => status !== 'cancelled'),
    ).toEqual([]);
  });

  it('is saved as failed when its answer breaks', async () => {
    const { id } = await conversations.create(owner, 'x');
    steps = [RESULTS, new DependencyUnavailable('x')];
    await expect(questions.ask(owner, question(id), never)).rejects.toBe(steps[1]);
    expect(await turnsOf(id)).toMatchObject([
      { status: 'failed', errorCode: 'dependency-unavailable', answer: null },
    ]);
  });
});

describe('a question that is answered as a stream', () => {
  it('is there from the beginning, and reads the same live, late and saved, here and elsewhere', async () => {
    const { id } = await conversations.create(owner, 'x');
    const live = await beginLive(id);
    expect((await turnsOf(id))[0]).toMatchObject({ id: live.turn.id, question: 'What do I pay?' });
    const told = await collect(live.follow(0, never));
    expect(told.map(({ event }) => event)).toEqual([
      'search_results',
      'citation',
      'message',
      'final_answer',
      'usage',
      'done',
    ]);
    const turn = { conversationId: id, turnId: live.turn.id };
    for (const service of [questions, otherProcess]) {
      expect(await collect(await service.follow(owner, turn, 0, never))).toEqual(told);
      for (const { id: position } of told)
        expect(await collect(await service.follow(owner, turn, position, never))).toEqual(
          told.filter((event) => event.id > position),
        );
    }
  });

  it('is refused before it begins by what refuses the answer', async () => {
    const { id } = await conversations.create(owner, 'x');
    steps = [new DependencyUnavailable('postgres')];
    await expect(questions.begin(owner, question(id), never)).rejects.toBe(steps[0]);
    expect(await turnsOf(id)).toEqual([]);
  });

  it('can be cancelled where it is written, and keeps what there is', async () => {
    const { id } = await conversations.create(owner, 'x');
    steps = [...EVENTS.slice(0, 3), 'hang'];
    const live = await beginLive(id);
    const reading = collect(live.follow(0, never));
    expect(await questions.cancel(owner, id, live.turn.id)).toBe('cancelled');
    expect((await reading).at(-1)).toMatchObject({ event: 'done', data: { status: 'cancelled' } });
    const [saved] = await turnsOf(id);
    expect(saved).toMatchObject({ status: 'cancelled', answer: null });
    expect(await questions.cancel(owner, id, live.turn.id)).toBe('cancelled');
  });

  it('can be cancelled from another process: what comes later is not kept', async () => {
    const { id } = await conversations.create(owner, 'x');
    steps = [RESULTS, 'hang'];
    const live = await beginLive(id);
    expect(await otherProcess.cancel(owner, id, live.turn.id)).toBe('cancelled');
    const reading = collect(live.follow(0, never));
    live.cancel();
    expect((await reading).at(-1)).toMatchObject({ event: 'done', data: { status: 'cancelled' } });
    expect((await turnsOf(id))[0]!.status).toBe('cancelled');
  });

  it('stays answered when somebody cancels it afterwards', async () => {
    const { id } = await conversations.create(owner, 'x');
    const { id: turnId } = await questions.ask(owner, question(id), never);
    expect(await questions.cancel(owner, id, turnId)).toBe('answered');
    expect((await turnsOf(id))[0]!.answer).toEqual(ANSWER);
  });

  it('is followed to its end also where another process writes it', async () => {
    const { id } = await conversations.create(owner, 'x');
    steps = [RESULTS, 'hang'];
    const live = await beginLive(id);
    const elsewhere = await otherProcess.follow(
      owner,
      { conversationId: id, turnId: live.turn.id },
      0,
      never,
    );
    const reading = collect(elsewhere);
    live.cancel();
    expect((await reading).map(({ event }) => event)).toEqual(['search_results', 'done']);
  });

  it('tells a reader whose time is up so, also where another process writes it', async () => {
    const { id } = await conversations.create(owner, 'x');
    steps = [RESULTS, 'hang'];
    const live = await beginLive(id);
    const signal = AbortSignal.abort(new DeadlineExceeded());
    const turn = { conversationId: id, turnId: live.turn.id };
    const reading = collect(await otherProcess.follow(owner, turn, 0, signal));
    await expect(reading).rejects.toBeInstanceOf(DeadlineExceeded);
    expect(live.turn.status).toBe('answering');
    live.cancel();
    await live.ended;
  });

  it('is refused before anything is searched while the program is draining', async () => {
    const { id } = await conversations.create(owner, 'x');
    lifecycle.drain();
    for (const way of ['ask', 'begin'] as const)
      await expect(questions[way](owner, question(id), never)).rejects.toMatchObject({
        code: 'shutting-down',
      });
    expect(await turnsOf(id)).toEqual([]);
  });

  it('counts as lost when the process that wrote it is long gone', async () => {
    const { id } = await conversations.create(owner, 'x');
    steps = [RESULTS, 'hang'];
    const live = await beginLive(id);
    await db.owner.query(`update turn set created_at = now() - interval '6 minutes' where id = $1`, [
      live.turn.id,
    ]);
    expect(await turnsOf(id)).toMatchObject([{ status: 'failed', errorCode: 'answer-lost' }]);
    live.cancel();
    await live.ended;
  });

  it('ends without a trace of an answer when its conversation is deleted meanwhile', async () => {
    const { id } = await conversations.create(owner, 'x');
    steps = [RESULTS, 'hang'];
    const live = await beginLive(id);
    await conversations.delete(owner, id);
    live.cancel();
    await live.ended;
    expect(live.turn.status).toBe('cancelled');
  });
});

it('the migration can be taken back and made again', async () => {
  const { CreateConversations1764000006000 } =
    await import('../../migrations/1764000006000-create-conversations.js');
  const migration = new CreateConversations1764000006000();
  const q = { query: (sql: string) => db.owner.query(sql) } as never;
  await migration.down(q);
  const { rows } = await db.owner.query(`select from pg_tables where tablename in ('conversation', 'turn')`);
  expect(rows).toEqual([]);
  await migration.up(q);
});
