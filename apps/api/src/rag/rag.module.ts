import { type DynamicModule, Module, type Provider } from '@nestjs/common';
import { type CacheConfig, cacheSection, Caches } from '#libs/cache';
import { TenantRulesSource } from '#libs/auth';
import { TenantDb } from '#libs/database';
import { DegradationRegistry, PolicyRegistry } from '#libs/resilience';
import { AnswerCache } from './answering/answer-cache.js';
import { AnswerService } from './answering/answer.service.js';
import { DeletedDocuments } from './answering/deleted-documents.js';
import { ModelBudget } from './answering/generated/index.js';
import { Withdrawals } from './answering/withdrawals.js';
import { LexicalIndex } from './passages/lexical/lexical.index.js';
import { PassageStore } from './passages/passage.store.js';
import { chooseVectorIndex } from './passages/vectors/choose-index.js';
import { VectorIndex } from './passages/vectors/vector-index.js';
import { VectorOriginStore } from './passages/vectors/vector-origin.store.js';
import { createChatModels } from './providers/chat-models.js';
import {
  createEmbedder,
  createPreviousEmbedder,
  type EmbedderSettings,
} from './providers/create-embedder.js';
import {
  dimensionsOf,
  type EmbedderConfig,
  embedderSection,
  type PreviousEmbedderConfig,
  previousEmbedderSection,
} from './providers/embedder.config.js';
import { type ChatModel, Embedder } from './providers/provider.js';
import {
  anthropicSection,
  type ChatConfig,
  type ChatModelsConfig,
  chatSection,
  compatibleSection,
  openaiSection,
} from './providers/providers.config.js';
import { QueryEmbedder, vectorText } from './retrieval/query-embedder.js';
import { type RetrievalConfig, retrievalSection } from './retrieval/retrieval.config.js';
import { type PreviousModel, Retriever } from './retrieval/retriever.js';
import { SearchController } from './retrieval/search.controller.js';
import { StructuredReader } from './structured/index.js';

/** A question's vector never changes while the model is the same. */
const QUERY_VECTOR_TTL_SECONDS = 86_400;
/** So an embedder that is away for days is not missed for questions that are often asked. */
const QUERY_VECTOR_STALE_SECONDS = 6 * 86_400;
/** The extractive answer was measured with this many (`bench/sbc.ts`). */
const PASSAGES = 60;
/** About 1,500 words: what small models still read with care. */
const BEST_PASSAGES = 12;

const CHAT_MODELS = Symbol('chat models');

/** A provider of its own, so that it is told of the program's end as the other one is. */
const PREVIOUS_EMBEDDER = Symbol('previous embedder');
const PREVIOUS_MODEL = Symbol('previous model');

function queryEmbedder(
  embedder: Embedder,
  policy: 'embedder' | 'previous-embedder',
  policies: PolicyRegistry,
  caches: Caches,
): QueryEmbedder {
  const cache = caches.named(policy === 'embedder' ? 'query-vectors' : 'previous-query-vectors', {
    ttlSeconds: QUERY_VECTOR_TTL_SECONDS,
    staleSeconds: QUERY_VECTOR_STALE_SECONDS,
    schema: vectorText(embedder.dimensions),
  });
  return new QueryEmbedder(embedder, policies.policy(policy), cache);
}

const RETRIEVAL: Provider[] = [
  LexicalIndex,
  {
    provide: VectorIndex,
    inject: [TenantDb, embedderSection.token],
    // Which tables there are is the same for every tenant and needs none.
    useFactory: (db: TenantDb, embedder: EmbedderConfig) =>
      db.runAsWorker((tx) => chooseVectorIndex(tx, dimensionsOf(embedder))),
  },
  PassageStore,
  VectorOriginStore,
  {
    provide: Embedder,
    inject: [
      ...[embedderSection, openaiSection, compatibleSection].map(({ token }) => token),
      VectorOriginStore,
    ],
    useFactory: (
      embedder: EmbedderConfig,
      openai: EmbedderSettings['openai'],
      compatible: EmbedderSettings['compatible'],
      origins: VectorOriginStore,
    ) => createEmbedder({ embedder, openai, compatible }, origins),
  },
  {
    provide: QueryEmbedder,
    inject: [Embedder, PolicyRegistry, Caches],
    useFactory: (embedder: Embedder, policies: PolicyRegistry, caches: Caches) =>
      queryEmbedder(embedder, 'embedder', policies, caches),
  },
  {
    provide: PREVIOUS_EMBEDDER,
    inject: [
      ...[previousEmbedderSection, embedderSection, openaiSection, compatibleSection].map(
        ({ token }) => token,
      ),
      VectorOriginStore,
    ],
    useFactory: (
      previousEmbedder: PreviousEmbedderConfig,
      embedder: EmbedderConfig,
      openai: EmbedderSettings['openai'],
      compatible: EmbedderSettings['compatible'],
      origins: VectorOriginStore,
    ) => createPreviousEmbedder({ previousEmbedder, embedder, openai, compatible }, origins) ?? null,
  },
  {
    provide: PREVIOUS_MODEL,
    inject: [PREVIOUS_EMBEDDER, TenantDb, PolicyRegistry, Caches],
    useFactory: async (embedder: Embedder | null, db: TenantDb, policies: PolicyRegistry, caches: Caches) =>
      embedder && {
        embedder: queryEmbedder(embedder, 'previous-embedder', policies, caches),
        vectors: await db.runAsWorker((tx) => chooseVectorIndex(tx, embedder.dimensions)),
      },
  },
  {
    provide: Retriever,
    inject: [
      TenantDb,
      PassageStore,
      LexicalIndex,
      VectorIndex,
      QueryEmbedder,
      retrievalSection.token,
      DegradationRegistry,
      PREVIOUS_MODEL,
    ],
    useFactory: (
      db: TenantDb,
      passages: PassageStore,
      lexical: LexicalIndex,
      vectors: VectorIndex,
      embedder: QueryEmbedder,
      config: RetrievalConfig,
      capabilities: DegradationRegistry,
      previous: PreviousModel | null,
    ) => {
      const levels = {
        lexical: capabilities.get('retrieve.lexical'),
        semantic: capabilities.get('retrieve.semantic'),
      };
      return new Retriever(db, passages, lexical, vectors, embedder, config, levels, previous ?? undefined);
    },
  },
];

const ANSWERING: Provider[] = [
  {
    provide: CHAT_MODELS,
    inject: [chatSection, openaiSection, anthropicSection, compatibleSection].map(({ token }) => token),
    useFactory: (
      chat: ChatModelsConfig['chat'],
      openai: ChatModelsConfig['openai'],
      anthropic: ChatModelsConfig['anthropic'],
      compatible: ChatModelsConfig['compatible'],
    ) => createChatModels({ chat, openai, anthropic, compatible }),
  },
  {
    provide: ModelBudget,
    inject: [TenantDb, chatSection.token],
    useFactory: (db: TenantDb, { tenantTokensPerHour, tenantTokensPerDay }: ChatConfig) =>
      new ModelBudget(db, { tokensPerHour: tenantTokensPerHour, tokensPerDay: tenantTokensPerDay }),
  },
  {
    provide: StructuredReader,
    inject: [CHAT_MODELS, PolicyRegistry, ModelBudget, TenantRulesSource],
    useFactory: (
      models: ChatModel[],
      policies: PolicyRegistry,
      budget: ModelBudget,
      rules: TenantRulesSource,
    ) => new StructuredReader(models, policies, budget, rules),
  },
  {
    provide: AnswerCache,
    inject: [Caches, cacheSection.token, CHAT_MODELS],
    useFactory: (caches: Caches, config: CacheConfig, models: ChatModel[]) =>
      AnswerCache.on(
        caches,
        config,
        models.map(({ name }) => name),
      ),
  },
  {
    provide: DeletedDocuments,
    inject: [Caches, cacheSection.token],
    useFactory: (caches: Caches, config: CacheConfig) => DeletedDocuments.on(caches, config),
  },
  {
    provide: Withdrawals,
    inject: [Caches, cacheSection.token],
    useFactory: (caches: Caches, config: CacheConfig) => Withdrawals.on(caches, config),
  },
  {
    provide: AnswerService,
    inject: [
      TenantDb,
      Retriever,
      CHAT_MODELS,
      PolicyRegistry,
      ModelBudget,
      AnswerCache,
      DeletedDocuments,
      chatSection.token,
      DegradationRegistry,
      TenantRulesSource,
      Withdrawals,
    ],
    useFactory: (
      db: TenantDb,
      retriever: Retriever,
      models: ChatModel[],
      policies: PolicyRegistry,
      budget: ModelBudget,
      cache: AnswerCache,
      deleted: DeletedDocuments,
      { maxTokens, totalTimeoutMs }: ChatConfig,
      capabilities: DegradationRegistry,
      rules: TenantRulesSource,
      withdrawals: Withdrawals,
    ) => {
      const options = {
        passages: PASSAGES,
        bestPassages: BEST_PASSAGES,
        maxTokens,
        modelsTimeoutMs: totalTimeoutMs,
      };
      const answers = new AnswerService(
        db,
        retriever,
        models,
        policies,
        budget,
        cache,
        deleted,
        options,
        rules,
        withdrawals,
      );
      capabilities.define(answers.ladder);
      return answers;
    },
  },
];

/**
 * Finding passages and answering from them. A **passage** is the unit of both; a **hit** is a passage that was found; an
 * **answer** rests on quotes from passages, and says by which step of the ladder it was served.
 */
@Module({})
export class RagModule {
  /** `http`: the search route, for the roles `api` and `all`. */
  static register({ http }: { http: boolean }): DynamicModule {
    return {
      module: RagModule,
      global: true,
      controllers: http ? [SearchController] : [],
      providers: [...RETRIEVAL, ...ANSWERING],
      exports: [
        AnswerService,
        DeletedDocuments,
        Embedder,
        PassageStore,
        Retriever,
        StructuredReader,
        Withdrawals,
      ],
    };
  }
}
