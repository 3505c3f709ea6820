import { join } from 'node:path';
import { type DynamicModule, Module, type Provider } from '@nestjs/common';
import { InvalidConfiguration } from '#libs/config';
import type { TenantDb } from '#libs/database';
import { WebhookSender } from '#libs/monitoring';
import { PolicyRegistry } from '#libs/resilience';
import { SealingKey } from '#libs/secrets';
import type { AuditConfig } from './audit.config.js';
import { AuditLog } from './audit-log.js';
import { AuditInterceptor } from './audit.interceptor.js';
import { AuditSpool } from './audit-spool.js';
import { LegalHolds, PersonalData } from './keeping/index.js';
import { AuditKeys } from './notes/index.js';
import { AuditRetention } from './retention/index.js';
import { type Anchor, FileAnchor, Sealer, WebhookAnchor } from './sealing/index.js';

/**
 * Needs `TenantDb`, `PolicyRegistry` and `DATA_DIR` from a global module, and `SEALER_DB` where it seals. Exactly one per
 * program: its log registers itself with the database.
 */
@Module({})
export class AuditModule {
  /** @throws InvalidConfiguration when messages could not be signed */
  static register(config: AuditConfig): DynamicModule {
    if (config.anchorWebhookUrl && !config.anchorWebhookSecret)
      throw new InvalidConfiguration([
        { variable: 'AUDIT_ANCHOR_WEBHOOK_SECRET', message: 'is needed with AUDIT_ANCHOR_WEBHOOK_URL' },
      ]);
    return {
      module: AuditModule,
      global: true,
      providers: [
        AuditLog,
        AuditInterceptor,
        LegalHolds,
        {
          provide: PersonalData,
          inject: ['DATA_DIR'],
          useFactory: async (dataDir: string) => new PersonalData(await SealingKey.loadOrCreate(dataDir)),
        },
        {
          provide: AuditSpool,
          inject: ['DATA_DIR'],
          useFactory: (dataDir: string) => new AuditSpool(join(dataDir, 'audit-spool')),
        },
        {
          provide: AuditKeys,
          inject: ['DATA_DIR'],
          useFactory: (dataDir: string) => AuditKeys.loadOrCreate(auditPaths(config, dataDir).keyFile),
        },
        ...(config.sealer === 'on' ? sealing(config) : []),
      ],
      exports: [AuditLog, AuditInterceptor, AuditKeys, LegalHolds, PersonalData],
    };
  }
}

/** What writes the evidence, and lets old events leave the log. */
function sealing(config: AuditConfig): Provider[] {
  return [
    {
      provide: Sealer,
      inject: ['SEALER_DB', AuditKeys, PolicyRegistry, 'DATA_DIR'],
      useFactory: (db: TenantDb, keys: AuditKeys, policies: PolicyRegistry, dataDir: string) =>
        new Sealer(db, keys, anchorsOf(config, dataDir, policies), {
          runs: true,
          checkpointMs: config.checkpointMs,
        }),
    },
    {
      provide: AuditRetention,
      inject: ['SEALER_DB', AuditLog, AuditKeys, 'DATA_DIR'],
      useFactory: (db: TenantDb, log: AuditLog, keys: AuditKeys, dataDir: string) =>
        new AuditRetention(db, log, keys, join(dataDir, 'audit-archive'), { runs: true }),
    },
  ];
}

/** Where the files of the evidence are. */
export function auditPaths(
  { keyFile, anchorFile }: Pick<AuditConfig, 'keyFile' | 'anchorFile'>,
  dataDir: string,
): { keyFile: string; anchorFile: string } {
  return {
    keyFile: keyFile ?? join(dataDir, 'secrets', 'audit-keys.json'),
    anchorFile: anchorFile ?? join(dataDir, 'audit-checkpoints.ndjson'),
  };
}

function anchorsOf(config: AuditConfig, dataDir: string, policies: PolicyRegistry): Anchor[] {
  const { anchorWebhookUrl: url, anchorWebhookSecret: secret } = config;
  const file = new FileAnchor(auditPaths(config, dataDir).anchorFile);
  return url && secret ? [file, new WebhookAnchor(new WebhookSender(url, secret, policies))] : [file];
}
