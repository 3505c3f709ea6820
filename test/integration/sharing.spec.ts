import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { Caches } from '#libs/cache';
import type { Principal } from '#libs/auth';
import { GroupsService } from '../../apps/api/src/groups/groups.service.js';
import { AttachmentStore } from '../../apps/api/src/ingestion/documents/attachment.store.js';
import type { Visibility } from '../../apps/api/src/ingestion/documents/document.js';
import { DocumentsService } from '../../apps/api/src/ingestion/documents/documents.service.js';
import { CollectionsService } from '../../apps/api/src/ingestion/sharing/collections.service.js';
import { DocumentSharingService } from '../../apps/api/src/ingestion/sharing/document-sharing.service.js';
import type { CollectionVisibility } from '../../apps/api/src/ingestion/sharing/sharing.js';
import { findScope } from '../../apps/api/src/rag/answering/scope.store.js';
import { Withdrawals } from '../../apps/api/src/rag/answering/withdrawals.js';
import { BitscanIndex } from '../../apps/api/src/rag/passages/vectors/bitscan.index.js';
import { PgvectorIndex } from '../../apps/api/src/rag/passages/vectors/pgvector.index.js';
import type { VectorIndex } from '../../apps/api/src/rag/passages/vectors/vector-index.js';
import { documentMaker } from '../support/documents.js';
import { passageMaker, WordEmbedder } from '../support/passages.js';
import { pgvectorDatabase } from '../support/pgvector-database.js';
import { testDatabase, type TestDatabase } from '../support/test-database.js';

const USERS = 4;
const GROUPS = 3;
const COLLECTIONS = ['claims', 'plans'];
/** In every document. */
const WORD = 'insurance';

interface Shared<V> {
  visibility: V;
  users: Set<number>;
  groups: Set<number>;
}
interface ModelDocument extends Shared<Visibility> {
  id: string;
  owner: number;
  collection: number | null;
}

/** Who may read what, as the words of the interface say it, and without a database. */
class Model {
  readonly members = Array.from({ length: GROUPS }, () => new Set<number>());
  readonly documents: ModelDocument[] = [];
  readonly collections = new Map<number, Shared<CollectionVisibility>>();

  sees(user: number, { owner, collection, ...document }: ModelDocument): boolean {
    if (owner === user) return true;
    if (document.visibility !== 'collection') return this.isGranted(user, document);
    const shared = collection === null ? undefined : this.collections.get(collection);
    return shared !== undefined && this.isGranted(user, shared);
  }

  private isGranted(user: number, { visibility, users, groups }: Shared<Visibility>): boolean {
    if (visibility === 'tenant') return true;
    if (visibility !== 'shared') return false;
    return users.has(user) || [...groups].some((group) => this.members[group]!.has(user));
  }

  /** Ids, in no order that matters. */
  seenBy(user: number): string[] {
    return this.documents.filter((document) => this.sees(user, document)).map(({ id }) => id);
  }
}

interface Place {
  db: TestDatabase;
  vectors: VectorIndex;
}
/** How many worlds are played: the one with pgvector has one connection, which runs in this process. */
const PLACES: [name: string, open: () => Promise<Place>, worlds: number][] = [
  [
    'bitscan, on the embedded PostgreSQL',
    async () => ({ db: await testDatabase(), vectors: new BitscanIndex() }),
    8,
  ],
  ['pgvector, inside the process', pgvectorPlace, 3],
];
/** Few, so that the graph is asked as well. */
const EXACT_UP_TO = 5;

async function pgvectorPlace(): Promise<Place> {
  const { dimensions } = new WordEmbedder();
  const { testDatabase: db } = await pgvectorDatabase(dimensions);
  return { db, vectors: new PgvectorIndex(dimensions, EXACT_UP_TO) };
}

/** A tenant with the product's own services before it, and beside it the model. */
class World {
  readonly model = new Model();
  private readonly embedder = new WordEmbedder();
  private readonly make: ReturnType<typeof passageMaker>;
  private readonly stores: ReturnType<typeof documentMaker>;
  private readonly withdrawals = Withdrawals.on(Caches.inMemory(), { staleAnswerSeconds: 60 });
  private readonly groups: GroupsService;
  private readonly collections: CollectionsService;
  private readonly sharing: DocumentSharingService;
  private tenantId = '';
  private readonly userIds: string[] = [];
  private readonly groupIds: string[] = [];
  private readonly fingerprints = new Map<number, Map<string, string>>();

  constructor(
    private readonly db: TestDatabase,
    vectors: VectorIndex,
  ) {
    this.make = passageMaker(db, this.embedder, vectors);
    this.stores = documentMaker(db);
    this.groups = new GroupsService(db.tenantDb, this.withdrawals);
    this.collections = new CollectionsService(db.tenantDb, this.withdrawals);
    const { documents, jobs } = this.stores;
    // Sharing asks it for nothing but the document.
    const service = Object.assign(Object.create(DocumentsService.prototype) as DocumentsService, {
      documents,
    });
    const stores = [service, documents, new AttachmentStore(), jobs] as const;
    this.sharing = new DocumentSharingService(db.tenantDb, ...stores, this.withdrawals);
  }

  async furnish(): Promise<this> {
    ({ tenantId: this.tenantId } = await this.db.createTenant());
    for (let i = 0; i < USERS; i += 1) {
      this.userIds.push(randomUUID());
      await this.db.owner.query(
        `insert into app_user (tenant_id, id, email, password_hash, role) values ($1, $2, $3, 'none', 'member')`,
        [this.tenantId, this.userIds[i], `${this.userIds[i]}@example.com`],
      );
    }
    for (let i = 0; i < GROUPS; i += 1) await this.makeGroup(i);
    for (let owner = 0; owner < USERS; owner += 1)
      for (const collection of [null, 0, 1]) await this.upload(owner, collection);
    return this;
  }

  as(user: number): Principal {
    const userId = this.userIds[user]!;
    return { tenantId: this.tenantId, userId, role: 'manager', via: 'session', credentialId: userId };
  }

  private async makeGroup(index: number): Promise<void> {
    this.groupIds[index] = (await this.groups.create(this.as(0), `group ${randomUUID()}`)).id;
    this.model.members[index]!.clear();
  }

  async upload(owner: number, collection: number | null): Promise<void> {
    const name = collection === null ? null : COLLECTIONS[collection]!;
    const id = await this.make.add(this.as(owner), [`${WORD} ${randomUUID()}`], {
      collection: name,
      visibility: undefined,
    });
    const follows = collection !== null && this.model.collections.has(collection);
    const visibility = follows ? 'collection' : 'private';
    this.model.documents.push({ id, owner, collection, visibility, users: new Set(), groups: new Set() });
  }

  async join(group: number, user: number): Promise<void> {
    await this.groups.addMember(this.as(0), this.groupIds[group]!, this.userIds[user]!);
    this.model.members[group]!.add(user);
  }

  async leave(group: number, user: number): Promise<void> {
    await this.groups.removeMember(this.as(0), this.groupIds[group]!, this.userIds[user]!);
    this.model.members[group]!.delete(user);
  }

  /** A new one takes its place. */
  async dissolve(group: number): Promise<void> {
    await this.groups.delete(this.as(0), this.groupIds[group]!);
    for (const { groups } of [...this.model.documents, ...this.model.collections.values()])
      groups.delete(group);
    await this.makeGroup(group);
  }

  async share(which: number, visibility: Visibility, users: number[], groups: number[]): Promise<void> {
    const document = this.model.documents[which % this.model.documents.length]!;
    if (visibility === 'collection' && document.collection === null) return;
    const to = visibility === 'shared' ? { users, groups } : { users: [], groups: [] };
    await this.sharing.set(this.as(document.owner), document.id, { visibility, grants: this.grants(to) });
    Object.assign(document, { visibility, users: new Set(to.users), groups: new Set(to.groups) });
  }

  async shareCollection(
    [by, collection]: [number, number],
    visibility: CollectionVisibility,
    users: number[],
    groups: number[],
  ): Promise<void> {
    const to = visibility === 'shared' ? { users, groups } : { users: [], groups: [] };
    const sharing = { visibility, grants: this.grants(to) };
    await this.collections.setSharing(this.as(by), COLLECTIONS[collection]!, sharing);
    if (!this.model.collections.has(collection))
      for (const document of this.model.documents)
        if (document.collection === collection && document.owner === by && document.visibility === 'private')
          document.visibility = 'collection';
    const shared = { visibility, users: new Set(to.users), groups: new Set(to.groups) };
    this.model.collections.set(collection, shared);
  }

  private grants({ users, groups }: { users: number[]; groups: number[] }) {
    return [
      ...users.map((user) => ({ kind: 'user' as const, id: this.userIds[user]! })),
      ...groups.map((group) => ({ kind: 'group' as const, id: this.groupIds[group]! })),
    ];
  }

  /** Everything that lets documents through lets through what the model does. */
  async check(user: number): Promise<void> {
    const reader = { tenantId: this.tenantId, userId: this.userIds[user]! };
    const expected = this.model.seenBy(user).sort();
    const { lexical, vectors } = this.make;
    const { documents } = this.stores;
    const { model } = this.embedder;
    const [vector] = await this.embedder.embed([WORD], new AbortController().signal);
    const seen = await this.db.tenantDb.read(this.tenantId, async (tx) => ({
      words: (await lexical.search(tx, { reader }, WORD, 1.2)).best(100),
      meaning: await vectors.search(tx, { reader }, { model, vector: vector!, limit: 100 }),
      listed: await documents.list(tx, reader, {}, undefined, 100),
      scope: await findScope(tx, { reader, question: WORD }),
    }));
    const ids = (places: readonly { documentId: string }[]) =>
      places.map(({ documentId }) => documentId).sort();
    expect(ids(seen.words)).toEqual(expected);
    expect(ids(seen.meaning)).toEqual(expected);
    expect(seen.listed.map(({ document }) => document.id).sort()).toEqual(expected);
    expect(seen.scope.answerable).toBe(expected.length);
    await this.checkCollections(user);
    this.checkFingerprint(user, expected.join(), seen.scope.fingerprint);
  }

  private async checkCollections(user: number): Promise<void> {
    const counted = await this.collections.list({ ...this.as(user), role: 'member' }, { limit: 10 });
    const seen = this.model.documents.filter((document) => this.model.sees(user, document));
    const inEach = COLLECTIONS.map((name, index) => ({
      name,
      documents: seen.filter(({ collection }) => collection === index).length,
      visibility: this.model.collections.get(index)?.visibility ?? null,
    }));
    expect(counted).toEqual(inEach.filter(({ documents }) => documents > 0));
  }

  /** An answer is kept under it, so two sets of documents never have the same one, and one set always has. */
  private checkFingerprint(user: number, documents: string, fingerprint: string): void {
    const known = this.fingerprints.get(user) ?? new Map<string, string>();
    this.fingerprints.set(user, known);
    expect(known.get(documents) ?? fingerprint).toBe(fingerprint);
    for (const [others, other] of known) if (others !== documents) expect(other).not.toBe(fingerprint);
    known.set(documents, fingerprint);
  }
}

const user = fc.nat(USERS - 1);
const group = fc.nat(GROUPS - 1);
const someUsers = fc.uniqueArray(user, { maxLength: 2 });
const someGroups = fc.uniqueArray(group, { maxLength: 2 });
const visibility = fc.constantFrom<CollectionVisibility>('private', 'shared', 'shared', 'tenant');
const changes = fc.oneof(
  fc.tuple(group, user).map(
    ([of, who]) =>
      (world: World) =>
        world.join(of, who),
  ),
  fc.tuple(group, user).map(
    ([of, who]) =>
      (world: World) =>
        world.leave(of, who),
  ),
  group.map((which) => (world: World) => world.dissolve(which)),
  fc.tuple(user, fc.constantFrom(null, 0, 1)).map(
    ([by, to]) =>
      (world: World) =>
        world.upload(by, to),
  ),
  fc
    .tuple(
      fc.nat(11),
      fc.constantFrom<Visibility>('private', 'shared', 'shared', 'tenant', 'collection'),
      someUsers,
      someGroups,
    )
    .map((of) => (world: World) => world.share(...of)),
  fc
    .tuple(fc.tuple(user, fc.nat(1)), visibility, someUsers, someGroups)
    .map((of) => (world: World) => world.shareCollection(...of)),
);

describe.each(PLACES)('who may read a document, with %s', (_, open, worlds) => {
  let place: Place;
  beforeAll(async () => {
    place = await open();
  }, 120_000);
  afterAll(() => place?.db.close());

  it('is for every search, list, count and kept answer what sharing says, whatever was done before', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(changes, { minLength: 8, maxLength: 16 }), async (all) => {
        const world = await new World(place.db, place.vectors).furnish();
        for (const [index, change] of all.entries()) {
          await change(world);
          await world.check(index % USERS);
        }
        for (let reader = 0; reader < USERS; reader += 1) await world.check(reader);
      }),
      { numRuns: worlds },
    );
  }, 120_000);
});
