import { randomUUID } from 'node:crypto';
import { jest } from '@jest/globals';
import { TransientFailure } from '#libs/errors';
import { RepeatedTurns } from '../../apps/api/src/chat/questions/repeated-turns.js';
import { type AnswerBody, ChatClient, problemOf, QUESTION, textOf } from '../support/chat-client.js';
import { allEvents } from '../support/event-reader.js';
import { testApp } from '../support/test-app.js';

const names = (events: { event: string }[]) => events.map(({ event }) => event);

describe('questions without a model', () => {
  let client: ChatClient;
  beforeAll(async () => {
    client = await new ChatClient(await testApp()).prepare();
  }, 60_000);
  afterAll(() => client?.app.close());

  it('are answered in the words of the document, with places to check them', async () => {
    const response = await client.ask({ question: QUESTION });
    expect(response.status).toBe(200);
    expect(response.headers.get('x-service-level')).toBe('full');
    const answer = (await response.json()) as AnswerBody;
    expect(answer).toMatchObject({ not_in_documents: false, served_by: 'extractive', service_level: 'full' });
    expect(answer.answer).toContain('$500');
    const [citation] = answer.citations;
    expect(citation!.document_id).toBe(client.documentId);
    const passage = await client.app.fetch(
      `/v1/documents/${client.documentId}/passages/${citation!.passage_id}`,
      { headers: client.app.admin },
    );
    const { text } = (await passage.json()) as { text: string };
    expect(text.slice(citation!.source_start, citation!.source_end)).toBe(citation!.quote);
    expect(answer.answer.slice(citation!.answer_start, citation!.answer_end)).toBe(citation!.quote);
  });

  it('that the documents do not answer are answered with that', async () => {
    const response = await client.ask({ question: 'Who won the football match in Lisbon yesterday?' });
    expect(await response.json()).toMatchObject({ not_in_documents: true, citations: [] });
  });

  it('are answered from the cache the second time, and anew when a document is added', async () => {
    const question = { question: 'How much is the emergency room copay?' };
    const served = async () => {
      const response = await client.ask(question);
      const { served_by } = (await response.json()) as AnswerBody;
      expect(response.headers.get('x-cache')).toBe(served_by === 'cache' ? 'hit' : 'miss');
      return served_by;
    };
    expect([await served(), await served()]).toEqual(['extractive', 'cache']);
    await client.upload('other.md', `# Dental\n\nCrowns are covered at 50% after 12 months. ${randomUUID()}`);
    expect(await served()).toBe('extractive');
  });

  it('that are asked again at the same moment are each kept and recorded, however they are read', async () => {
    const question = { question: 'How much is the specialist copay?' };
    const answered = (await (await client.ask(question)).json()) as AnswerBody;
    const asked = Array.from({ length: 4 }, async () => (await client.ask(question)).json());
    const streamed = allEvents(await client.stream(question));
    const events = await streamed;
    const answers = [
      ...(await Promise.all(asked)),
      events.find(({ event }) => event === 'final_answer')!.data,
    ];
    expect(answers).toMatchObject(
      Array(5).fill({ answer: answered.answer, served_by: 'cache', saved: true }),
    );
    expect(names(events)).toEqual(expect.arrayContaining(['search_results', 'message', 'usage', 'done']));
    for (const { id } of answers as AnswerBody[]) {
      const records = await client.app.fetch(`/v1/audit/events?target_id=${id}`, {
        headers: client.app.admin,
      });
      const detail = { status: 'answered', served_by: 'cache' };
      expect(await records.json()).toMatchObject({
        items: [{ action: 'question.ask', outcome: 'success', detail }],
      });
    }
  });

  it('that were saved without anybody knowing are answered with what was saved', async () => {
    const question = { question: 'How much is the deductible of the plan?' };
    const { answer } = (await (await client.ask(question)).json()) as AnswerBody;
    const repeated = client.app.program.app.get(RepeatedTurns);
    const save = jest.spyOn(repeated, 'save').mockImplementation(async (...given) => {
      await RepeatedTurns.prototype.save.apply(repeated, given);
      throw new TransientFailure('the connection was lost');
    });
    try {
      const asked = (await (await client.ask(question)).json()) as AnswerBody;
      const [last] = (await allEvents(await client.stream(question))).filter(
        ({ event }) => event === 'final_answer',
      );
      expect(save).toHaveBeenCalledTimes(2);
      expect([asked, last!.data]).toMatchObject(Array(2).fill({ answer, saved: true }));
    } finally {
      save.mockRestore();
    }
  });

  it('come with an event for each thing that happens', async () => {
    const response = await client.stream({ question: QUESTION });
    expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    const events = await allEvents(response);
    expect(names(events)).toEqual([
      'search_results',
      'message',
      'citation',
      'message',
      'final_answer',
      'usage',
      'done',
    ]);
    expect(textOf(events)).toBe(events.find(({ event }) => event === 'final_answer')!.data['answer']);
    const ids = events.map(({ id }) => Number(id));
    expect(ids).toEqual([...new Set(ids)].sort((a, b) => a - b));
    expect(events[0]!.data['turn_id']).toBe(response.headers.get('x-turn-id'));
  });

  it('are asked in a conversation, which is begun with or without a title', async () => {
    const headers = client.app.admin;
    const untitled = await client.app.fetch('/v1/conversations', { method: 'POST', headers });
    expect(await untitled.json()).toMatchObject({ title: null });
    const titled = await client.app.fetch('/v1/conversations', { json: { title: ' My plan ' }, headers });
    expect(titled.status).toBe(201);
    expect(await titled.json()).toMatchObject({ title: 'My plan' });
  });

  it('are kept in their conversation', async () => {
    const conversationId = await client.converse();
    const asked = Object.assign(new ChatClient(client.app), { conversationId });
    const answer = (await (
      await asked.ask({ question: QUESTION, document_ids: [client.documentId] })
    ).json()) as AnswerBody;
    expect(await asked.messages()).toMatchObject([
      {
        id: answer.id,
        question: QUESTION,
        document_ids: [client.documentId],
        status: 'answered',
        answer: { id: answer.id },
      },
    ]);
    const list = await client.app.fetch('/v1/conversations?limit=1', { headers: client.app.admin });
    expect(await list.json()).toMatchObject({ items: [{ id: conversationId, title: QUESTION }] });
    const deleted = await client.app.fetch(`/v1/conversations/${conversationId}`, {
      method: 'DELETE',
      headers: client.app.admin,
    });
    expect(deleted.status).toBe(204);
    expect(await problemOf(await asked.ask({ question: QUESTION }))).toMatchObject({
      status: 404,
      code: 'conversation-not-found',
    });
  });

  it.each([
    ['neither JSON nor events', { accept: 'text/html' }, { question: QUESTION }, 406, 'not-acceptable'],
    ['no question', {}, {}, 400, 'validation-failed'],
    ['an empty question', {}, { question: '  ' }, 400, 'validation-failed'],
    ['too long a question', {}, { question: 'x'.repeat(4_001) }, 400, 'validation-failed'],
    ['members that do not exist', {}, { question: QUESTION, tenant_id: 'x' }, 400, 'validation-failed'],
    [
      'unknown documents',
      {},
      { question: QUESTION, document_ids: [randomUUID()] },
      404,
      'document-not-found',
    ],
    [
      'unknown documents, as events',
      { accept: 'text/event-stream' },
      { question: QUESTION, document_ids: [randomUUID()] },
      404,
      'document-not-found',
    ],
  ])('are refused with %s', async (_, headers, body, status, code) => {
    expect(await problemOf(await client.ask(body, headers))).toMatchObject({
      status,
      code,
      contentType: 'application/problem+json; charset=utf-8',
    });
  });

  it('are refused without a credential, and in the conversation of somebody else', async () => {
    const path = `/v1/conversations/${randomUUID()}/questions`;
    expect((await client.app.fetch(path, { json: { question: QUESTION } })).status).toBe(401);
    expect(
      (await client.app.fetch(path, { json: { question: QUESTION }, headers: client.app.admin })).status,
    ).toBe(404);
  });

  it('are told apart from documents that are not processed yet', async () => {
    const { rows } = await client.app.db.owner.query(
      `insert into document (tenant_id, id, owner_id, title, filename, media_type, size_bytes, sha256, status)
       select tenant_id, gen_random_uuid(), owner_id, 't', 'f', 'text/plain', 1, sha256('x'), 'processing'
       from document where id = $1 returning id`,
      [client.documentId],
    );
    const pending = (rows[0] as { id: string }).id;
    expect(await problemOf(await client.ask({ question: QUESTION, document_ids: [pending] }))).toMatchObject({
      status: 409,
      code: 'documents-not-ready',
      pending_document_ids: [pending],
    });
    const both = await client.ask({ question: QUESTION, document_ids: [pending, client.documentId] });
    expect(await both.json()).toMatchObject({ served_by: 'extractive', pending_document_ids: [pending] });
    await client.app.db.owner.query(`delete from document where id = $1`, [pending]);
  });

  it('leave a record of who was shown which passages, without a word of them', async () => {
    const { id } = (await (await client.ask({ question: QUESTION })).json()) as AnswerBody;
    const response = await client.app.fetch(`/v1/audit/events?target_id=${id}`, {
      headers: client.app.admin,
    });
    const { items } = (await response.json()) as { items: { targets: { type: string }[] }[] };
    expect(items[0]).toMatchObject({ action: 'question.ask', outcome: 'success' });
    expect(items[0]!.targets.some(({ type }) => type === 'passage')).toBe(true);
    expect(JSON.stringify(items)).not.toMatch(/deductible|\$500/);
  });
});
