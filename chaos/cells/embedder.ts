import type { EmbeddingFailure } from '../../test/support/fake-model-server.js';
import { setTimeout as delay } from 'node:timers/promises';
import { type Cell, type Expectation, expectThat, type Play } from '../cell.js';
import type { Evidence } from '../evidence.js';
import { PLAIN } from '../harness/world.js';
import { until } from '../harness/until.js';
import { documentForm } from '../harness/tenants.js';
import { answeredAtLeast } from './bounds.js';

const INGESTED_LIMIT_MS = 60_000;

const embedder = (
  cell: Omit<Cell, 'dependency' | 'recoverWithinMs' | 'setUp' | 'heal'> & Partial<Cell>,
): Cell => ({
  dependency: 'embedder',
  setUp: PLAIN,
  recoverWithinMs: 10_000,
  heal: ({ world }) => world.second.follow({}),
  ...cell,
});

const failing = (failure: EmbeddingFailure) => ({
  begin: ({ world }: Play) => world.second.follow({ embeddings: [{ failure }] }),
});

/** Nobody is turned away, and all that was taken in meanwhile can be found afterwards. */
async function servedAndIngested(evidence: Evidence, play: Play): Promise<Expectation[]> {
  return [
    answeredAtLeast(0.999, evidence.questions),
    answeredAtLeast(0.999, evidence.during('search'), 'searches'),
    await allIngested(play),
  ];
}

/** The same, and nothing false got into the index. */
async function servedHonestly(evidence: Evidence, play: Play): Promise<Expectation[]> {
  return [...(await servedAndIngested(evidence, play)), await oneSizeOfVectors(play)];
}

async function oneSizeOfVectors(play: Play): Promise<Expectation> {
  const rows = await play.world.postgres.sql<{ sizes: number }>(
    `select count(distinct octet_length(vector))::int as sizes from passage_vector`,
  );
  return expectThat(rows[0]!.sizes <= 1, `vectors of ${rows[0]!.sizes} sizes in the index (bound 1)`);
}

/** Every document that was taken during the fault can be searched by its meaning once it is over. */
async function allIngested({ world }: Play): Promise<Expectation> {
  const unfinished = async () =>
    (
      await world.postgres.sql<{ count: number }>(
        `select count(*)::int as count from document where answerable <> 'semantic' or status <> 'ready'`,
      )
    )[0]!.count;
  await until(async () => (await unfinished()) === 0, INGESTED_LIMIT_MS);
  const left = await unfinished();
  return expectThat(
    left === 0,
    `${left} documents are not searchable by meaning a minute after the fault (bound 0)`,
  );
}

export const embedderCells: readonly Cell[] = [
  embedder({
    id: 'F35',
    fault: 'vectors of another dimension',
    seconds: 20,
    ...failing('wrong-dimension'),
    levels: ['full', 'degraded'],
    alerts: true,
    expects: servedHonestly,
  }),
  embedder({
    id: 'F36',
    fault: 'vectors that are no numbers, zero, too few or in another order, in turn',
    seconds: 24,
    begin: ({ world }) => world.second.follow({ embeddings: [{ failure: 'nan' }] }),
    async during({ world, notes }) {
      for (const failure of ['nan', 'zero', 'fewer', 'same-index'] as const) {
        await world.second.follow({ embeddings: [{ failure }] });
        await delay(5_000);
      }
      await world.second.follow({ embeddings: [{ failure: 'reordered' }] });
      await delay(4_000);
      notes['turns'] = 5;
    },
    levels: ['full', 'degraded'],
    expects: servedHonestly,
  }),
  embedder({
    id: 'F37',
    fault: 'another model answers in its place',
    seconds: 20,
    ...failing('other-model'),
    levels: ['full', 'degraded'],
    expects: servedAndIngested,
  }),
  embedder({
    id: 'F38',
    fault: 'refuses every batch in which a certain passage is',
    seconds: 15,
    begin: ({ world }) => world.second.follow({ embeddings: [{ failure: 'poisoned', poison: POISON }] }),
    async during(play) {
      // The document is done sooner than questions come.
      const whileAsked = delay(play.cell.seconds * 1_000);
      const before = (await play.world.second.stats()).calls.embeddings;
      const id = await uploadPoisoned(play);
      await untilSettled(play, id);
      play.notes['calls'] = (await play.world.second.stats()).calls.embeddings - before;
      const [row] = await play.world.postgres.sql<{ embedded: number; status: string; answerable: string }>(
        `select d.status, d.answerable, (select count(*)::int from passage_vector v where v.document_id = d.id) as embedded
         from document d where id = $1`,
        [id],
      );
      play.notes['embedded'] = row!.embedded;
      play.notes['searchable'] = Number(row!.status === 'ready' && row!.answerable === 'semantic');
      await whileAsked;
    },
    levels: ['full'],
    expects: (evidence, { notes }) => [
      answeredAtLeast(0.999, evidence.questions),
      expectThat(notes['searchable'] === 1, 'the document is ready, but for the passage that is refused'),
      expectThat(
        notes['embedded'] === POISONED_SECTIONS - 1,
        `${notes['embedded']} of its ${POISONED_SECTIONS} passages have vectors (bound ${POISONED_SECTIONS - 1})`,
      ),
    ],
  }),
];

const POISON = 'zqpoisonword';
const POISONED_SECTIONS = 16;

async function uploadPoisoned({ world }: Play): Promise<string> {
  const tenant = world.tenants[0]!;
  const sections = Array.from(
    { length: POISONED_SECTIONS },
    (_, i) =>
      `## Part ${i}\n\nThe ${tenant.canaries[0]} plan has a part ${i} that pays $${i}00 for help ${i === 5 ? POISON : 'at home'}.`,
  );
  const response = await fetch(`${world.replica.url}/v1/documents`, {
    method: 'POST',
    body: documentForm(`# Poisoned\n\n${sections.join('\n\n')}\n`, 'poisoned.md'),
    headers: { authorization: `Bearer ${tenant.apiKey}` },
  });
  return ((await response.json()) as { id: string }).id;
}

async function untilSettled({ world }: Play, id: string): Promise<void> {
  await until(async () => {
    const [row] = await world.postgres.sql<{ status: string }>('select status from document where id = $1', [
      id,
    ]);
    return row?.status === 'ready' || row?.status === 'failed';
  }, INGESTED_LIMIT_MS);
}
