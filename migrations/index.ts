import type { MigrationInterface } from 'typeorm';
import { CreateTenancy1764000001000 } from './1764000001000-create-tenancy.js';
import { CreateIdentity1764000002000 } from './1764000002000-create-identity.js';
import { CreateAudit1764000003000 } from './1764000003000-create-audit.js';
import { CreateDocuments1764000004000 } from './1764000004000-create-documents.js';
import { CreatePassages1764000005000 } from './1764000005000-create-passages.js';
import { CreateConversations1764000006000 } from './1764000006000-create-conversations.js';
import { CreateIdempotency1764000007000 } from './1764000007000-create-idempotency.js';
import { CountLostLeases1764000008000 } from './1764000008000-count-lost-leases.js';
import { CreateResilience1764000009000 } from './1764000009000-create-resilience.js';
import { CreateVectorOrigin1764000010000 } from './1764000010000-create-vector-origin.js';
import { CreateModelBudget1764000011000 } from './1764000011000-create-model-budget.js';
import { ResumeIdempotentRequests1764000013000 } from './1764000013000-resume-idempotent-requests.js';
import { ControlIngestion1764000014000 } from './1764000014000-control-ingestion.js';
import { CreateJobParts1764000015000 } from './1764000015000-create-job-parts.js';
import { NestDocuments1764000016000 } from './1764000016000-nest-documents.js';
import { TimePassages1764000017000 } from './1764000017000-time-passages.js';
import { CreateInsights1764000018000 } from './1764000018000-create-insights.js';
import { CreateImports1764000019000 } from './1764000019000-create-imports.js';
import { CreateWebhooks1764000020000 } from './1764000020000-create-webhooks.js';
import { CreateGenerations1764000021000 } from './1764000021000-create-generations.js';
import { CreateFactReadings1764000022000 } from './1764000022000-create-fact-readings.js';
import { SealAudit1764000023000 } from './1764000023000-seal-audit.js';
import { CreatePeople1764000025000 } from './1764000025000-create-people.js';
import { ExtendCredentials1764000026000 } from './1764000026000-extend-credentials.js';
import { ShareDocuments1764000027000 } from './1764000027000-share-documents.js';
import { CreateExports1764000028000 } from './1764000028000-create-exports.js';
import { FindAuditEvents1764000028500 } from './1764000028500-find-audit-events.js';
import { KeepAudit1764000029000 } from './1764000029000-keep-audit.js';
import { CreatePrivacy1764000030000 } from './1764000030000-create-privacy.js';
import { StrengthenSessions1764000032000 } from './1764000032000-strengthen-sessions.js';
import { KeepVectorsInline1764000033000 } from './1764000033000-keep-vectors-inline.js';
import { SeparateSealer1764000034000 } from './1764000034000-separate-sealer.js';
import { BoundRetention1764000035000 } from './1764000035000-bound-retention.js';

/** Every migration, oldest first. One that has landed is never edited. */
export const migrations: (new () => MigrationInterface)[] = [
  CreateTenancy1764000001000,
  CreateIdentity1764000002000,
  CreateAudit1764000003000,
  CreateDocuments1764000004000,
  CreatePassages1764000005000,
  CreateConversations1764000006000,
  CreateIdempotency1764000007000,
  CountLostLeases1764000008000,
  CreateResilience1764000009000,
  CreateVectorOrigin1764000010000,
  CreateModelBudget1764000011000,
  ResumeIdempotentRequests1764000013000,
  ControlIngestion1764000014000,
  CreateJobParts1764000015000,
  NestDocuments1764000016000,
  TimePassages1764000017000,
  CreateInsights1764000018000,
  CreateImports1764000019000,
  CreateWebhooks1764000020000,
  CreateGenerations1764000021000,
  CreateFactReadings1764000022000,
  SealAudit1764000023000,
  CreatePeople1764000025000,
  ExtendCredentials1764000026000,
  CreateExports1764000028000,
  FindAuditEvents1764000028500,
  ShareDocuments1764000027000,
  KeepAudit1764000029000,
  CreatePrivacy1764000030000,
  StrengthenSessions1764000032000,
  KeepVectorsInline1764000033000,
  SeparateSealer1764000034000,
  BoundRetention1764000035000,
];
